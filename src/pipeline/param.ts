// Parameters of a pipeline: typed, documented, and read from text.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { checkChoice, checkKeys, describeValue } from '../base/check.ts'
import { SluiceError } from '../base/errors.ts'
import { Rejection } from '../connect/format.ts'
import { Check, REFUSED, WAITS } from '../flow/validation.ts'
import { isSecretName } from '../observe/redact.ts'

/** A parameter: its type, its default, and one line for people. */
export interface Param<T> {
  /** What the text must be, for people: `an integer`. */
  readonly allowed: string
  readonly default: T
  /** Set if it has no default: a value must be given. */
  readonly isRequired?: true
  /** The environment variable that it is read from if it is not given. */
  readonly env?: string
  readonly about: string
  /** Whether its values are never shown; those whose name says so (`password`, `apiToken`) never are. */
  readonly isSecret?: boolean
  /** The value that `text` stands for, or undefined if it is invalid; a rejection says why. */
  readonly parse: (text: string) => T | Rejection | undefined
}

export type Params = Readonly<Record<string, Param<unknown>>>

/** The values that a pipeline's functions get: parameter name → value. */
export type ParamValues<P extends Params> = { readonly [Name in keyof P]: P[Name] extends Param<infer T> ? T : never }

export interface ParamOptions {
  /** The environment variable that it is read from, unless `--param` gives it. An empty variable is one that is not set. */
  readonly env?: string
  /** One line for people, shown by `sluice run FILE --help`. */
  readonly about?: string
  /** Whether its values are never shown: those whose name, or variable's name, says so (`password`) never are. */
  readonly secret?: boolean
}

/** Makes parameters: of a schema, or of one of the usual kinds with a default. */
export interface MakeParam {
  /**
   * A parameter whose text a schema validates and converts (`z.string()`, `z.coerce.number().int()`). It must be given,
   * by `--param` or by its environment variable, unless the schema takes `undefined`, as one with a default does.
   */
  <S extends StandardSchemaV1>(schema: S, options?: ParamOptions): Param<StandardSchemaV1.InferOutput<S>>
  string(byDefault: string, about?: string): Param<string>
  /** A text that is never shown: not in help, not in an error. */
  secret(byDefault: string, about?: string): Param<string>
  number(byDefault: number, about?: string): Param<number>
  boolean(byDefault: boolean, about?: string): Param<boolean>
  choice<const T extends string>(choices: readonly T[], byDefault: T, about?: string): Param<T>
}

/**
 * Makes the parameters of a pipeline, each with a line that `sluice run FILE --help` shows.
 *
 * @throws {TypeError} for what is not a schema, or an unknown option
 * @example
 * const size = param.number(100, 'rows in a batch')
 * size.parse('250') // => 250
 * size.parse('many') // => undefined
 * param.secret('', 'key of the server').isSecret // => true
 */
export const param: MakeParam = Object.assign(ofSchema, {
  string: (byDefault: string, about = ''): Param<string> => {
    return { allowed: 'text', default: byDefault, about, parse: (text) => text }
  },
  secret: (byDefault: string, about = ''): Param<string> => {
    return { allowed: 'text', default: byDefault, about, isSecret: true, parse: (text) => text }
  },
  number: (byDefault: number, about = ''): Param<number> => {
    return { allowed: 'a number', default: byDefault, about, parse: parseNumber }
  },
  boolean: (byDefault: boolean, about = ''): Param<boolean> => ({
    allowed: 'true or false',
    default: byDefault,
    about,
    parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  }),
  choice: <const T extends string>(choices: readonly T[], byDefault: T, about = ''): Param<T> => {
    checkChoice('the default of a choice', byDefault, choices)
    return {
      allowed: `one of ${choices.join(', ')}`,
      default: byDefault,
      about,
      parse: (text) => choices.find((choice) => choice === text),
    }
  },
})

function ofSchema<S extends StandardSchemaV1>(
  schema: S,
  options: ParamOptions = {},
): Param<StandardSchemaV1.InferOutput<S>> {
  checkKeys('param', options, ['env', 'about', 'secret'])
  if (typeof schema?.['~standard']?.validate !== 'function')
    throw new TypeError(`param takes a schema, such as z.string(), or param.string(…): found ${describeValue(schema)}`)
  const { env, about = '', secret: isSecret = env !== undefined && isSecretName(env) } = options
  const validate = (value: unknown): unknown => {
    const check = new Check(schema)
    const found = check.of(value)
    if (found === WAITS) throw new TypeError('param takes a schema that answers at once: found one that waits')
    return found === REFUSED ? new Rejection(check.reason) : found
  }
  const byDefault = validate(undefined)
  return {
    allowed: 'what its schema takes',
    ...(byDefault instanceof Rejection ? { default: undefined, isRequired: true as const } : { default: byDefault }),
    ...(env === undefined ? {} : { env }),
    ...(isSecret ? { isSecret } : {}),
    about,
    parse: validate as Param<StandardSchemaV1.InferOutput<S>>['parse'],
  }
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
 * The values of a pipeline's parameters: those given as text, those of environment variables, and defaults for the rest.
 *
 * @throws {SluiceError} CONFIG_INVALID for a name that the pipeline does not have, for required ones that are missing,
 *   all at once, or for a text that does not fit
 */
export function readParams<P extends Params>(
  params: P,
  given: ReadonlyMap<string, string>,
  pipeline: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
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
  const textOf = (name: string, { env: variable }: Param<unknown>): string | undefined => {
    return given.get(name) ?? (variable === undefined ? undefined : env[variable] || undefined)
  }
  const missing = Object.entries(params).filter(([name, one]) => one.isRequired && textOf(name, one) === undefined)
  if (missing.length > 0) throw missingParams(pipeline, missing, env)
  const entries = Object.entries(params).map(([name, one]) => {
    const text = textOf(name, one)
    return [name, text === undefined ? one.default : paramValue(pipeline, name, one, text, given.has(name))]
  })
  return Object.fromEntries(entries)
}

function paramValue(pipeline: string, name: string, one: Param<unknown>, text: string, isGiven: boolean): unknown {
  const value = one.parse(text)
  if (value !== undefined && !(value instanceof Rejection)) return value
  const isHidden = isSecretParam(name, one)
  const found = isHidden ? 'an invalid value, not shown here' : describeValue(text)
  const from = isGiven ? '' : ` in environment variable ${one.env}`
  // A schema may repeat the value.
  const allowed = value instanceof Rejection && !isHidden ? `${one.allowed} (${value.reason})` : one.allowed
  const message = `Parameter ${name} of ${pipeline} must be ${allowed}: found ${found}${from}`
  const details = { key: name, value: isHidden ? undefined : text, allowed: one.allowed }
  throw new SluiceError('CONFIG_INVALID', message, details)
}

function missingParams(
  pipeline: string,
  missing: readonly (readonly [string, Param<unknown>])[],
  env: Readonly<Record<string, string | undefined>>,
): SluiceError {
  const ways = missing.map(([name, { env: variable }]) => {
    if (variable === undefined) return `${name} (--param)`
    return env[variable] === '' ? `${name} (${variable} is empty)` : `${name} (${variable} or --param)`
  })
  const which = missing.length === 1 ? 'parameter' : `${missing.length} parameters`
  const message = `Cannot build pipeline ${pipeline}: it needs a value for ${which} ${ways.join(', ')}; environment variables may be in .env`
  return new SluiceError('CONFIG_INVALID', message, {
    key: missing.map(([name]) => name).join(', '),
    value: undefined,
    allowed: 'a value',
  })
}
