// Reads what a source file imports, out of its text.

/** One import: where it stands and what it names. */
export interface Import {
  readonly line: number
  readonly specifier: string
}

const STRING = `'([^'\\n]+)'|"([^"\\n]+)"`
const IMPORTS = new RegExp(
  // import … from 'x', export … from 'x', import 'x', import('x')
  `(?:^|\\n)\\s*(?:import|export)\\s(?:[^'"\`;]*?\\sfrom\\s*)?(?:${STRING})|\\bimport\\s*\\(\\s*(?:${STRING})`,
  'g',
)

/** Every import of a TypeScript source: static, for types, re-exported, dynamic. Comments do not count. */
export function importsOf(text: string): readonly Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/[^\n]*/g, (comment) => comment.replace(/[^\n]/g, ' '))
  // A specifier with a hole is text of a program that a test writes, no import of its own.
  const found = [...code.matchAll(IMPORTS)].filter((match) => !match[0].includes('${'))
  return found.map((match) => ({
    specifier: match[1] ?? match[2] ?? match[3] ?? match[4] ?? '',
    line: code.slice(0, match.index + match[0].length).split('\n').length,
  }))
}
