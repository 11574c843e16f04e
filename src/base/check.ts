// Checks of arguments: they throw the fitting built-in error, with the option, the limit and the value.

/** Rejects anything but an integer from `min` to `max`. */
export function checkInteger(name: string, value: unknown, min: number, max: number = Number.MAX_SAFE_INTEGER): void {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number: found ${describeValue(value)}`)
  if (Number.isInteger(value) && value >= min && value <= max) return
  const upTo = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `from ${min} to ${max}`
  throw new RangeError(`${name} must be an integer, ${upTo}: found ${value}`)
}

/** Rejects anything but a number of milliseconds of at least `min`. */
export function checkMs(name: string, value: unknown, min = 0): void {
  if (typeof value === 'number' && value >= min) return
  throw new RangeError(`${name} must be milliseconds, ${min} or more: found ${describeValue(value)}`)
}

/** Rejects anything but a comparable number. */
export function checkTime(name: string, value: unknown): void {
  if (typeof value === 'number' && !Number.isNaN(value)) return
  throw new TypeError(`${name} must be a time, as a number: found ${describeValue(value)}`)
}

/** Rejects a value that is not among `choices`. */
export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (choices.includes(value as string)) return
  throw new RangeError(`${name} must be one of ${choices.join(', ')}: found ${describeValue(value)}`)
}

/** Rejects a non-object, and keys that are not in `known`: a misspelled option must not pass silently. */
export function checkKeys(what: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`${what} takes options as an object: found ${describeValue(value)}`)
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) throw new TypeError(`${what} has no option ${key}: it takes ${known.join(', ')}`)
  }
}

/** Rejects anything but functions; absent ones are not checked. */
export function checkFunctions(given: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || typeof value === 'function') continue
    throw new TypeError(`${name} must be a function: found ${describeValue(value)}`)
  }
}

/** Whether a value, for example from a checkpoint, is a count. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** A value as an error shows it: short, on one line, never all of a large object. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === 'function') return `function ${value.name || '(unnamed)'}`
  if (typeof value === 'object' && value !== null) return value.constructor?.name ?? 'object'
  return String(value)
}
