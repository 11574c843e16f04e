// Makes foreign text safe to print: one record stays one line, and no terminal interprets it.

// Control characters (C0, DEL, C1), line and paragraph separators, and what reorders or hides text.
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu

/**
 * `text` with every character escaped that could move a cursor, end a line or hide what follows.
 *
 * @example
 * escapeText('a\u001b[2Jb\n') // => 'a\\x1b[2Jb\\x0a'
 */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (char) => {
    const code = char.codePointAt(0) ?? 0
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`
    return code < 0x10000 ? unitsOf(char) : `\\u{${code.toString(16)}}`
  })
}

/**
 * JSON with the same characters as escapes of JSON's own: it parses to the same value.
 *
 * @param json - as `JSON.stringify` makes it without indentation: unsafe characters occur inside strings only
 */
export function escapeJson(json: string): string {
  return json.replace(UNSAFE, unitsOf)
}

/** `text` on one line, escaped, cut to `length` characters. */
export function excerpt(text: string, length: number): string {
  const cut = text.length > length
  return `${escapeText(cut ? text.slice(0, length) : text)}${cut ? '…' : ''}`
}

function unitsOf(char: string): string {
  return Array.from({ length: char.length }, (_, at) => {
    return `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`
  }).join('')
}
