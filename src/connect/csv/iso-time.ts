// Times as ISO 8601 writes them, to epoch milliseconds.

const TIME =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?(?: ?(Z|[+-][0-9]{2}(?::?[0-9]{2})?))?)?$/i

/**
 * Epoch milliseconds of a time: a date, or a date and the time of its day with seconds and their fraction where they
 * matter. Without an offset it is UTC. Years 0001 to 9999; undefined for what is no such time, for days that there are
 * not, for leap seconds, and for what is finer than a millisecond.
 *
 * @example
 * readIsoTime('2024-02-29 12:00:00.5+02:00') // => 1709200800500
 * readIsoTime('2023-02-29') // => undefined
 */
export function readIsoTime(text: string): number | undefined {
  // No time is longer, and a long text is not worth a look.
  if (text.length > 40) return undefined
  const found = TIME.exec(text)
  if (found === null) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', offset = 'Z'] = found
  if (!/^0*$/.test(fraction.slice(3))) return undefined
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  // A day or month that there is not has become another.
  if (Number(year) === 0 || date.getUTCDate() !== Number(day) || date.getUTCMonth() !== Number(month) - 1)
    return undefined
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const offsetMs = readOffset(offset)
  if (offsetMs === undefined) return undefined
  const ofDay = (Number(hour) * 60 + Number(minute)) * 60_000 + Number(second) * 1000
  return date.getTime() + ofDay + Number(fraction.slice(0, 3).padEnd(3, '0')) - offsetMs
}

function readOffset(offset: string): number | undefined {
  if (offset === 'Z' || offset === 'z') return 0
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(3).replace(':', ''))]
  if (hours > 23 || minutes > 59) return undefined
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
