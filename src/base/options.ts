// Options as a table: their names, and what each accepts.

import { checkChoice, checkFunctions, checkInteger, checkKeys, checkMs, describeValue } from './check.ts'

/** Throws for a value that an option does not accept. */
export type Check = (name: string, value: unknown) => void

/** A check for every option: none may be left out. */
export type Checks<Options> = { readonly [Name in keyof Options]-?: Check }

/**
 * Rejects unknown options and unfit values. Absent options are not checked.
 *
 * @example
 * checkOptions('tail', { pollMs: 250 }, { pollMs: milliseconds(1) })
 */
export function checkOptions(what: string, options: object, checks: Readonly<Record<string, Check>>): void {
  checkKeys(what, options, Object.keys(checks))
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) checks[name]?.(name, value)
  }
}

/** Not checked, or checked elsewhere. */
export const anything: Check = () => {}

export const aFunction: Check = (name, value) => checkFunctions({ [name]: value })

export const trueOrFalse: Check = fitting((value) => typeof value === 'boolean', 'true or false')

export function integer(min: number, max?: number): Check {
  return (name, value) => checkInteger(name, value, min, max)
}

/** An integer, or infinity for no limit. */
export function integerOrNone(min: number): Check {
  return (name, value) => {
    if (value !== Number.POSITIVE_INFINITY) checkInteger(name, value, min)
  }
}

export function milliseconds(min?: number): Check {
  return (name, value) => checkMs(name, value, min)
}

export function choice(...choices: readonly string[]): Check {
  return (name, value) => checkChoice(name, value, choices)
}

/**
 * @param words - what fits, as in the error: `delimiter must be …`
 */
export function fitting(isFit: (value: unknown) => boolean, words: string): Check {
  return (name, value) => {
    if (!isFit(value)) throw new TypeError(`${name} must be ${words}: found ${describeValue(value)}`)
  }
}

/**
 * An object without what is undefined in it.
 *
 * @example
 * definedOf({ a: 1, b: undefined }) // => { a: 1 }
 */
export function definedOf<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never
}
