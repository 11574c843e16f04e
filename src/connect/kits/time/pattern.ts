// Times by a pattern of letters, as in java.time and Unicode's LDML.

import { describeValue } from '../../../base/check.ts'
import { epochOfShown, faultOfShown, type Shown } from './calendar.ts'
import { OFFSET_FAULT, readOffset } from './iso.ts'
import { MS_DIGITS, type TimeRules, TOO_FINE } from './rules.ts'

const MONTHS = [
  ['January', 'February', 'March', 'April', 'May', 'June'],
  ['July', 'August', 'September', 'October', 'November', 'December'],
].flat()
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** The meaning of a field in a pattern. */
type Part = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'fraction' | 'half' | 'offset' | 'weekday'

interface Field {
  readonly part: Part
  readonly source: string
  readonly read: (text: string) => number
}

const digits = (part: Part, source: string): Field => ({ part, source, read: Number })
const short = (names: readonly string[]): string[] => names.map((name) => name.slice(0, 3))

function named(part: Part, names: readonly string[]): Field {
  const inOrder = names.map((name) => name.toLowerCase())
  return { part, source: names.join('|'), read: (text) => inOrder.indexOf(text.toLowerCase()) }
}

const offset = (source: string): Field => ({
  part: 'offset',
  source,
  read: (text) => readOffset(text) ?? Number.NaN,
})

const month = (source: string): Field => ({ part: 'month', source, read: (text) => Number(text) - 1 })
const twelve = (source: string): Field => ({
  part: 'hour',
  source,
  read: (text) => (Number(text) >= 1 && Number(text) <= 12 ? Number(text) % 12 : 99),
})

/** All fields. */
const FIELDS: Readonly<Record<string, Field>> = {
  yyyy: digits('year', '[0-9]{4}'),
  uuuu: digits('year', '[0-9]{4}'),
  yy: { part: 'year', source: '[0-9]{2}', read: (text) => 2000 + Number(text) },
  M: month('[0-9]{1,2}'),
  MM: month('[0-9]{2}'),
  MMM: named('month', short(MONTHS)),
  MMMM: named('month', MONTHS),
  d: digits('day', '[0-9]{1,2}'),
  dd: digits('day', '[0-9]{2}'),
  H: digits('hour', '[0-9]{1,2}'),
  HH: digits('hour', '[0-9]{2}'),
  h: twelve('[0-9]{1,2}'),
  hh: twelve('[0-9]{2}'),
  a: named('half', ['AM', 'PM']),
  m: digits('minute', '[0-9]{1,2}'),
  mm: digits('minute', '[0-9]{2}'),
  s: digits('second', '[0-9]{1,2}'),
  ss: digits('second', '[0-9]{2}'),
  E: named('weekday', short(DAYS)),
  EEE: named('weekday', short(DAYS)),
  EEEE: named('weekday', DAYS),
  X: offset('Z|[+-][0-9]{2}(?:[0-9]{2})?'),
  XX: offset('Z|[+-][0-9]{4}'),
  XXX: offset('Z|[+-][0-9]{2}:[0-9]{2}'),
  x: offset('[+-][0-9]{2}(?:[0-9]{2})?'),
  xx: offset('[+-][0-9]{4}'),
  xxx: offset('[+-][0-9]{2}:[0-9]{2}'),
  Z: offset('[+-][0-9]{4}'),
}

function fieldOf(letters: string): Field | undefined {
  if (/^S{1,9}$/.test(letters)) return digits('fraction', `[0-9]{${letters.length}}`)
  return Object.hasOwn(FIELDS, letters) ? FIELDS[letters] : undefined
}

/** The parts of a pattern, in the order of its groups, and the pattern as a regular expression. */
interface Compiled {
  readonly expression: RegExp
  readonly fields: readonly Field[]
}

/**
 * A parser of times in a pattern: the whole text must match.
 *
 * Fields are those of the table in the guide; `'…'` is literal text, `''` a quote, `[…]` is optional; what is not a
 * letter stands for itself. Names of months and days are English, in any case. A weekday must match the date.
 *
 * @throws {RangeError} for unknown letters, a duplicate part, and a pattern without a full date
 * @example
 * const read = patternReader('dd/MM/yyyy HH:mm:ss', timeRules({ timeZone: 'Europe/Berlin' }))
 * read('29/02/2024 13:00:00') // => 1709208000000
 * read('30/02/2024 13:00:00') // => 'no such day'
 */
export function patternReader(pattern: string, { zone, isCutOff }: TimeRules): (text: string) => number | string {
  const { expression, fields } = compile(pattern)
  const longest = 4 * pattern.length + 64
  return (text) => {
    const found = text.length > longest ? null : expression.exec(text)
    if (found === null) return `not a time as ${pattern}`
    const parts: Partial<Record<Part, number>> = {}
    let fraction = ''
    for (const [place, field] of fields.entries()) {
      const written = found[place + 1]
      if (written === undefined) continue
      if (field.part === 'fraction') fraction = written
      else parts[field.part] = field.read(written)
    }
    const { year = 0, month = 0, day = 0, hour = 0, half = 0, minute = 0, second = 0 } = parts
    const shown: Shown = { year, month, day, hour: hour + 12 * half, minute, second }
    const fault = faultOfShown(shown)
    if (fault !== undefined) return fault.what
    if (!isCutOff && /[1-9]/.test(fraction.slice(MS_DIGITS))) return TOO_FINE
    const time = epochOfShown(shown)
    if (parts.weekday !== undefined && new Date(time).getUTCDay() !== parts.weekday) return 'another day of the week'
    if (Number.isNaN(parts.offset)) return OFFSET_FAULT
    const ms = Number(fraction.slice(0, MS_DIGITS).padEnd(MS_DIGITS, '0'))
    return ms + (parts.offset === undefined ? zone.epochMs(time) : time - parts.offset)
  }
}

const TOKEN = /'((?:[^']|'')*)'|([A-Za-z])\2*|[[\]]|[^A-Za-z']/gy

function compile(pattern: string): Compiled {
  const refuse = (why: string): never => {
    throw new RangeError(`the time ${describeValue(pattern)} ${why}`)
  }
  const fields: Field[] = []
  let source = ''
  let depth = 0
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < pattern.length) {
    const found = TOKEN.exec(pattern)
    if (found === null) return refuse("has a quote ' that is not closed")
    const [token, quoted, letter] = found
    if (letter !== undefined) {
      const field = fieldOf(token)
      if (field === undefined)
        return refuse(
          `has the letters ${token}: it takes ${Object.keys(FIELDS).join(' ')} S to SSSSSSSSS, and text in '…'`,
        )
      if (fields.some(({ part }) => part === field.part)) refuse(`says the ${field.part} twice`)
      fields.push(field)
      source += `(${field.source})`
    } else if (quoted !== undefined) source += quoted === '' ? "'" : RegExp.escape(quoted.replaceAll("''", "'"))
    else if (token === '[' || token === ']') {
      depth += token === '[' ? 1 : -1
      if (depth < 0) refuse('closes a ] that is not open')
      source += token === '[' ? '(?:' : ')?'
    } else source += RegExp.escape(token)
  }
  if (depth > 0) refuse('opens a [ that is not closed')
  const has = (part: Part): boolean => fields.some((field) => field.part === part)
  for (const part of ['year', 'month', 'day'] as const) if (!has(part)) refuse(`says no ${part}`)
  if (has('half') !== /h/.test(lettersOf(pattern))) refuse('must have both h and a, or neither')
  for (const [part, needed] of NEEDED) if (has(part) && !has(needed)) refuse(`says the ${part} and no ${needed}`)
  return { expression: new RegExp(`^${source}$`, 'i'), fields }
}

const NEEDED: readonly (readonly [part: Part, needed: Part])[] = [
  ['minute', 'hour'],
  ['second', 'minute'],
  ['fraction', 'second'],
]

function lettersOf(pattern: string): string {
  return pattern.replace(/'[^']*'/g, '')
}
