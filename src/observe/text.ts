// Numbers as people read them.

/**
 * @example
 * countText(1234567) // => '1,234,567'
 */
export function countText(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')
}

/**
 * @example
 * bytesText(999) // => '999 B'
 * bytesText(12_345_678) // => '12.3 MB'
 */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let unit = 0
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return unit === 0 ? `${Math.round(value)} B` : `${value.toFixed(1)} ${units[unit]}`
}

/**
 * @example
 * durationText(820) // => '0.8 s'
 * durationText(65_000) // => '1 m 05 s'
 * durationText(7_260_000) // => '2 h 01 m'
 */
export function durationText(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const two = (value: number): string => `${value}`.padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} m`
}

/** A number of things, in words: `1 row`, `2 rows`. */
export function many(count: number, thing: string): string {
  return `${countText(count)} ${thing}${count === 1 ? '' : 's'}`
}
