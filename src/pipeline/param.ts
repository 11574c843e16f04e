// Parameters of a pipeline: typed, documented, and read from text.

import { checkChoice, describeValue } from '../base/check.ts'
import { SluiceError } from '../base/errors.ts'
import { isSecretName } from '../observe/redact.ts'

/** A parameter: its type, its default, and one line for people. */
export interface Param<T> {
  /** What the text must be, for people: `an integer`. */
  readonly allowed: string
  readonly default: T
  readonly about: string
  /** Whether its values are never shown; those whose name says so (`password`, `apiToken`) never are. */
  readonly isSecret?: boolean
  /** The value that `text` stands for, or undefined if it is invalid. */
  readonly parse: (text: string) => T | undefined
}

export type Params = Readonly<Record<string, Param<unknown>>>

/** The values that a pipeline's functions get: parameter name → value. */
export type ParamValues<P extends Params> = { readonly [Name in keyof P]: P[Name] extends Param<infer T> ? T : never }

/**
 * Makes the parameters of a pipeline. Each has a default, so that a pipeline runs without any, and a line that `sluice
 * run FILE --help` shows.
 *
 * @example
 * const size = param.number(100, 'rows in a batch')
 * size.parse('250') // => 250
 * size.parse('many') // => undefined
 * param.secret('', 'key of the server').isSecret // => true
 */
export const param: {
  string(byDefault: string, about?: string): Param<string>
  /** A text that is never shown: not in help, not in an error. */
  secret(byDefault: string, about?: string): Param<string>
  number(byDefault: number, about?: string): Param<number>
  boolean(byDefault: boolean, about?: string): Param<boolean>
  choice<const T extends string>(choices: readonly T[], byDefault: T, about?: string): Param<T>
} = {
  string: (byDefault, about = '') => ({ allowed: 'text', default: byDefault, about, parse: (text) => text }),
  secret: (byDefault, about = '') => ({
    allowed: 'text',
    default: byDefault,
    about,
    isSecret: true,
    parse: (text) => text,
  }),
  number: (byDefault, about = '') => ({ allowed: 'a number', default: byDefault, about, parse: parseNumber }),
  boolean: (byDefault, about = '') => ({
    allowed: 'true or false',
    default: byDefault,
    about,
    parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  }),
  choice: (choices, byDefault, about = '') => {
    checkChoice('the default of a choice', byDefault, choices)
    return {
      allowed: `one of ${choices.join(', ')}`,
      default: byDefault,
      about,
      parse: (text) => choices.find((choice) => choice === text),
    }
  },
}

/** Whether values of a parameter must not be shown: it says so, or its name does. */
export function isSecretParam(name: string, { isSecret = false }: Param<unknown>): boolean {
  return isSecret || isSecretName(name)
}

function parseNumber(text: string): number | undefined {
  const value = Number(text)
  return text.trim() === '' || !Number.isFinite(value) ? undefined : value
}

/**
 * The values of a pipeline's parameters: those given as text, and defaults for the rest.
 *
 * @throws {SluiceError} CONFIG_INVALID for a name that the pipeline does not have, or a text that does not fit the type
 */
export function readParams<P extends Params>(
  params: P,
  given: ReadonlyMap<string, string>,
  pipeline: string,
): ParamValues<P> {
  for (const name of given.keys()) {
    if (Object.hasOwn(params, name)) continue
    const known = Object.keys(params).join(', ') || 'none'
    throw new SluiceError('CONFIG_INVALID', `Pipeline ${pipeline} has no parameter ${name}: it has ${known}`, {
      key: name,
      // A misspelt name may be that of a secret.
      value: undefined,
      allowed: known,
    })
  }
  const entries = Object.entries(params).map(([name, one]) => {
    const text = given.get(name)
    if (text === undefined) return [name, one.default]
    const value = one.parse(text)
    if (value !== undefined) return [name, value]
    const isHidden = isSecretParam(name, one)
    const found = isHidden ? 'an invalid value, not shown here' : describeValue(text)
    const message = `Parameter ${name} of ${pipeline} must be ${one.allowed}: found ${found}`
    const details = { key: name, value: isHidden ? undefined : text, allowed: one.allowed }
    throw new SluiceError('CONFIG_INVALID', message, details)
  })
  return Object.fromEntries(entries)
}
