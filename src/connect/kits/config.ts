// The errors for options that a source, a format or a sink cannot use.

import { describeValue } from '../../base/check.ts'
import { SluiceError } from '../../base/errors.ts'

/**
 * The error for an invalid option.
 *
 * @param what - whose option it is: `kafkaSource`
 * @param found - the value as the message shows it: something else for secrets
 * @example
 * optionInvalid('kafkaSource', 'topic', 7, 'the name of a topic').message // => 'Cannot use 7 as topic of kafkaSource: it takes the name of a topic'
 */
export function optionInvalid(
  what: string,
  key: string,
  value: unknown,
  allowed: string,
  found: string = describeValue(value),
): SluiceError<'CONFIG_INVALID'> {
  const message = `Cannot use ${found} as ${key} of ${what}: it takes ${allowed}`
  return new SluiceError('CONFIG_INVALID', message, { key, value, allowed })
}

/** The error for an invalid address. Addresses may contain secrets: `found` only says what kind of value it is. */
export function addressInvalid(what: string, allowed: string, found: string): SluiceError<'CONFIG_INVALID'> {
  const message = `Cannot use the address of ${what}: it takes ${allowed}, found ${found}`
  return new SluiceError('CONFIG_INVALID', message, { key: 'url', value: undefined, allowed })
}

/** What was found in the place of an address: it may be a secret in the wrong place, so that only its kind is told. */
export function foundAddress(given: unknown): string {
  if (given === '') return 'an empty text: is an environment variable empty?'
  if (given === undefined) return 'nothing: is an environment variable not set?'
  return typeof given === 'string' ? 'a text that is not an address' : describeValue(given)
}

/** Whether a value can name a file or a folder. */
export function isPath(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\0')
}
