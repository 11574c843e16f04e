// Limits on JSON, checked before a text is parsed.

import { endOfQuoted } from '../text/quoted.ts'
import { CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './bytes.ts'

export interface JsonLimits {
  /** The deepest nesting of arrays and objects. */
  readonly maxDepth: number
  /** The most keys of one object. */
  readonly maxKeys: number
}

/**
 * Why a text is over a limit; undefined if it is not. For invalid JSON the answer is arbitrary.
 *
 * @example
 * faultOfJson('[[[]]]', { maxDepth: 2, maxKeys: 10 }) // => 'nested more than 2 deep'
 * faultOfJson('{"a": 1, "b": 2}', { maxDepth: 2, maxKeys: 1 }) // => 'an object of over 1 keys'
 */
export function faultOfJson(text: string, limits: JsonLimits): string | undefined {
  const { maxDepth, maxKeys } = limits
  // The shortest key with its value has five characters: `"":0,`.
  if (text.length <= maxKeys * 5 && hasAtMost(text, maxDepth)) return undefined
  /** Commas of each open object, and -1 for each array. */
  const open: number[] = []
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = endOfQuoted(text, at + 1)
      if (at === -1) return undefined
    } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      if (open.length === maxDepth) return `nested more than ${maxDepth} deep`
      open.push(code === OPEN_OBJECT ? 0 : -1)
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
      open.pop()
    } else if (code === COMMA && (open.at(-1) ?? -1) >= 0) {
      const commas = (open.pop() as number) + 1
      if (commas >= maxKeys) return `an object of over ${maxKeys.toLocaleString('en-US')} keys`
      open.push(commas)
    }
  }
  return undefined
}

/** Whether a text has so few opening brackets, in strings or not, that nesting cannot exceed `maxDepth`. */
function hasAtMost(text: string, maxDepth: number): boolean {
  let left = maxDepth
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      left -= 1
      if (left < 0) return false
    }
  }
  return true
}
