// Texts by name, of protocols in which a name may occur several times: headers, fields, queries, forms.

import { describeValue } from '../../../base/check.ts'

/**
 * Texts by name: a text for a name that occurs once, a list of texts, in order, for one that occurs more often. The
 * same for reading and publishing, whatever the protocol.
 *
 * @example
 * const headers: NamedTexts = { trace: '4bf92f', tag: ['new', 'paid'] }
 * const tags = [headers.tag ?? []].flat() // => ['new', 'paid']
 */
export type NamedTexts = Readonly<Record<string, string | readonly string[]>>

/** Adds a text, after existing ones of that name. */
export function addText(texts: Map<string, string | string[]>, name: string, text: string): void {
  const before = texts.get(name)
  if (before === undefined) texts.set(name, text)
  else if (typeof before === 'string') texts.set(name, [before, text])
  else before.push(text)
}

/**
 * Texts by name, from pairs.
 *
 * @example
 * gathered([['a', '1'], ['b', '2'], ['a', '3']]) // => { a: ['1', '3'], b: '2' }
 */
export function gathered(pairs: Iterable<readonly [name: string, text: string]>): NamedTexts {
  const texts = new Map<string, string | string[]>()
  for (const [name, text] of pairs) addText(texts, name, text)
  // Names are data: `__proto__` is one like any other.
  return Object.fromEntries(texts)
}

/**
 * The pairs of texts by name: the inverse of `gathered`, except for the order of different names.
 *
 * @throws {TypeError} for what is neither a text nor a list of texts
 * @example
 * pairsOf('header', { a: ['1', '3'], b: '2' }) // => [['a', '1'], ['a', '3'], ['b', '2']]
 */
export function pairsOf(what: string, texts: NamedTexts): [name: string, text: string][] {
  if (typeof texts !== 'object' || texts === null)
    throw new TypeError(`${what}s are texts by name: found ${describeValue(texts)}`)
  const pairs: [string, string][] = []
  for (const [name, given] of Object.entries(texts)) {
    for (const text of Array.isArray(given) ? given : [given]) {
      if (typeof text !== 'string')
        throw new TypeError(`${what} ${JSON.stringify(name)} takes a text or texts: found ${describeValue(text)}`)
      pairs.push([name, text])
    }
  }
  return pairs
}
