// Foreign text made safe to print: one record stays one line, and no terminal obeys it.

// Control characters (C0, DEL, C1), line and paragraph separators, and what reorders or hides text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/**
 * `text` with every character escaped that could move a cursor, end a line or hide what follows.
 *
 * @example
 * escapeText('a\u001b[2Jb\n') // => 'a\\x1b[2Jb\\x0a'
 */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (char) => {
    const code = char.charCodeAt(0)
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** `text` on one line, escaped, cut to `length` characters. */
export function excerpt(text: string, length: number): string {
  const cut = text.length > length
  return `${escapeText(cut ? text.slice(0, length) : text)}${cut ? '…' : ''}`
}
