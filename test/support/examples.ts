// Finds the examples in doc comments and documents, and makes programs of them.

/** One example: where it stands, and what it says. */
export interface Example {
  readonly file: string
  readonly line: number
  readonly code: string
  /** Whether it is run, or only has to compile. */
  readonly runs: boolean
}

/** Exported name → where it is from, and whether it is a type. */
export type Exports = ReadonlyMap<string, { readonly file: string; readonly isType: boolean }>

/** The `@example` blocks of a source file. */
export function examplesInComments(file: string, text: string): Example[] {
  const found: Example[] = []
  for (const comment of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const lines = comment[0].split('\n').map((line) => line.replace(/^\s*\*\/?( |$)/, ''))
    const first = lineAt(text, comment.index)
    for (let at = lines.indexOf('@example'); at >= 0; at = lines.indexOf('@example', at + 1)) {
      const end = lines.findIndex((line, index) => index > at && /^@|^\/$/.test(line))
      const code = lines
        .slice(at + 1, end < 0 ? lines.length : end)
        .join('\n')
        .trimEnd()
      found.push({ file, line: first + at + 1, code, runs: true })
    }
  }
  return found
}

/** The ```ts blocks of a Markdown page; `no-run` ones only compile, `illustration` ones are for the eye. */
export function examplesInPage(file: string, text: string): Example[] {
  return [...text.matchAll(/^( *)```ts([^\n]*)\n([\s\S]*?)^\1```/gm)]
    .filter((match) => !match[2]?.includes('illustration'))
    .map((match) => ({
      file,
      line: lineAt(text, match.index) + 1,
      code: match[3] ?? '',
      runs: !match[2]?.includes('no-run'),
    }))
}

/**
 * Where an example lies: one folder for each document, so that examples of it can import each other by the name that
 * the first line gives (`// errors.ts`).
 */
export function placeOf({ file, line, code }: Example): string {
  return `${file.replace(/\W+/g, '-')}/${/^\/\/ ([\w-]+\.ts)\b/.exec(code)?.[1] ?? `${line}.ts`}`
}

/** What a source file exports, by name. */
export function exportsOf(file: string, text: string): [string, { file: string; isType: boolean }][] {
  const exported = /^export (?:declare )?(async function\*?|function\*?|const|class|interface|type) (\w+)/gm
  return [...text.matchAll(exported)].map(([, kind = '', name = '']) => {
    return [name, { file, isType: kind === 'interface' || kind === 'type' }]
  })
}

/** How many of an example's lines say what they give. */
export function countChecks(code: string): number {
  return code.split('\n').filter((line) => /\/\/ => /.test(line)).length
}

/**
 * An example as a module that throws where a line does not give what it says. `imports` names what it uses without
 * importing it.
 */
export function programOf({ code, file, line }: Example, imports: string): string {
  const lines = code.split('\n')
  const out: string[] = []
  for (const [index, text] of lines.entries()) {
    const [, before = '', value = ''] = /^(.*?)\/\/ => (.*)$/.exec(text) ?? []
    if (value === '') out.push(text)
    else if (before.trim() !== '') out.push(check(before, value, `${file}:${line + index}`))
    else out.push(check(out.pop() ?? '', value, `${file}:${line + index}`))
  }
  return `${imports}import { deepEqual as checkThat } from 'node:assert/strict'\n${out.join('\n')}\nexport {}\n`
}

function check(statement: string, value: string, place: string): string {
  const [, name] = /^\s*(?:const|let) (\w+)(?:: [^=]+)? = /.exec(statement) ?? []
  const expected = `(${value.trim()}) as unknown`
  if (name !== undefined) return `${statement}\ncheckThat(${name}, ${expected}, undefined as never)`
  return `checkThat(${statement.trim()}, ${expected}) // ${place}`
}

/** Import lines for the names that an example uses and does not make itself. */
export function importsFor({ code, file }: Example, exports: Exports, own: ReadonlySet<string>, root: string): string {
  const words = new Set(code.match(/\b[A-Za-z_]\w*\b/g))
  const isImported = (name: string): boolean => new RegExp(`^import [^'"]*\\b${name}\\b`, 'm').test(code)
  const lines: string[] = []
  for (const [name, { file: from, isType }] of exports) {
    if (!words.has(name) || declares(code, name) || isImported(name)) continue
    lines.push(`import ${isType ? 'type ' : ''}{ ${name} } from '${root}/${own.has(name) ? file : from}'`)
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function declares(code: string, name: string): boolean {
  return new RegExp(`\\b(?:const|let|using|function|class) (?:[[{][^=]*)?\\b${name}\\b`).test(code)
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}

/** The lines that a program of `examples/` says that it prints: those below `// Prints:`. */
export function said(text: string): string[] {
  const [, output = ''] = text.split('// Prints:\n')
  return output
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\/\/ /, ''))
}
