// Arrays as PostgreSQL writes them: `{a,"b c",NULL}`.

const ELEMENT = /"((?:[^"\\]|\\.)*)"|((?:[^",{}\\\s]|\s+(?=[^,}\s]))+)/sy

/**
 * The elements of a one-dimensional array, null for NULL; undefined for anything else.
 *
 * @example
 * arrayElements('{a,"b ""c",NULL}') // => undefined
 * arrayElements('{a,"b \\"c",NULL}') // => ['a', 'b "c', null]
 */
export function arrayElements(text: string): readonly (string | null)[] | undefined {
  if (!text.startsWith('{') || !text.endsWith('}')) return undefined
  if (text === '{}') return []
  const elements: (string | null)[] = []
  let at = 1
  for (;;) {
    ELEMENT.lastIndex = at
    const [found, quoted, plain] = ELEMENT.exec(text) ?? []
    if (found === undefined) return undefined
    if (quoted === undefined) elements.push(plain === 'NULL' ? null : (plain ?? null))
    else elements.push(quoted.replace(/\\(.)/gs, '$1'))
    at += found.length
    if (at === text.length - 1) return elements
    if (text[at] !== ',') return undefined
    at += 1
  }
}
