// Pieces of TypeScript, and how they become a module.

import { escapeJson } from '../observe/escape.ts'

/** A piece of a module: an expression, and what it needs. */
export interface Piece {
  /** Entry point → the names that are imported from it. */
  readonly imports: Readonly<Record<string, readonly string[]>>
  readonly code: string
  /** Declarations before the pipeline. */
  readonly before?: string
  /** Environment variables that it reads, each with an example. */
  readonly env?: Readonly<Record<string, string>>
}

/** The parts of a pipeline's module. */
export interface JobPieces {
  readonly name: string
  /** Comments at the top, a line each. */
  readonly about: readonly string[]
  readonly from: Piece
  /** What happens to the events: whole lines of the description, or a comment. Nothing by default. */
  readonly flow?: Piece | undefined
  readonly into: Piece
}

/** A module that exports a pipeline. */
export function jobText({ name, about, from, flow, into }: JobPieces): string {
  const pieces = [from, ...(flow === undefined ? [] : [flow]), into]
  const own = { imports: { sluice: ['pipeline'] }, code: '' }
  const comments = about.map((line) => `// ${escapeJson(line)}\n`).join('')
  const before = pieces.map((piece) => piece.before).filter((text) => text !== undefined)
  const flowLine = flow === undefined ? '' : `  ${flow.code}\n`
  return `${comments}${importLines([own, ...pieces])}
${before.map((text) => `${text}\n`).join('')}export default pipeline(${literal(name)}, {
  from: () => ${from.code},
${flowLine}  into: () => ${into.code},
})
`
}

/** The imports of pieces: a line for each entry point, names in order. */
export function importLines(pieces: readonly Piece[]): string {
  const doors = new Map<string, Set<string>>()
  for (const { imports } of pieces) {
    for (const [door, names] of Object.entries(imports)) {
      const all = doors.get(door) ?? new Set()
      for (const name of names) all.add(name)
      doors.set(door, all)
    }
  }
  const lines = [...doors].sort(([a], [b]) => (a < b ? -1 : 1))
  return lines.map(([door, names]) => `import { ${inOrder(names).join(', ')} } from '${door}'\n`).join('')
}

/** By name, whether they are types or values. */
function inOrder(names: Iterable<string>): string[] {
  const bare = (name: string): string => name.replace(/^type /, '')
  return [...names].sort((a, b) => (bare(a) < bare(b) ? -1 : 1))
}

/**
 * A call of an exported function.
 *
 * @param name - with its type arguments: `ndjsonSource<Row>`
 * @param args - values, and pieces
 * @param options - the last argument; left out if it is empty
 */
export function call(name: string, args: readonly (string | Piece)[], options: object = {}, door = 'sluice'): Piece {
  const all = args.map((arg) => (typeof arg === 'string' ? literal(arg) : arg.code))
  if (Object.keys(options).length > 0) all.push(spacious(options, '  '))
  const imports: Record<string, readonly string[]> = { [door]: [name.replace(/<.*$/, '')] }
  const env: Record<string, string> = {}
  for (const arg of args) {
    if (typeof arg === 'string') continue
    for (const [from, names] of Object.entries(arg.imports)) imports[from] = [...(imports[from] ?? []), ...names]
    Object.assign(env, arg.env)
  }
  return { imports, code: `${name}(${all.join(', ')})`, env }
}

/** An expression that imports nothing. */
export function plain(code: string): Piece {
  return { imports: {}, code }
}

/**
 * A value as code. Texts hold no line end and nothing that hides or reorders what follows.
 *
 * @example
 * literal({ id: 'integer', 'a b': ["it's"] }) // => "{ id: 'integer', 'a b': ['it\\'s'] }"
 */
export function literal(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const entries = Object.entries(value).map(([name, one]) => `${keyOf(name)}: ${literal(one)}`)
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}

/** What an environment variable says, or else an example. */
export function fromEnv(variable: string, example: string): Piece {
  return { ...plain(`process.env.${variable} ?? ${literal(example)}`), env: { [variable]: example } }
}

/** The longest object that stays on one line. */
const WIDTH = 90

/** An object as code: in a line for each property, if it is long. */
function spacious(value: unknown, indent: string): string {
  const line = literal(value)
  if (line.length <= WIDTH || typeof value !== 'object' || value === null || Array.isArray(value)) return line
  const entries = Object.entries(value).map(([name, one]) => {
    return `${indent}  ${keyOf(name)}: ${spacious(one, `${indent}  `)},\n`
  })
  return `{\n${entries.join('')}${indent}}`
}

/** The name of a property in a type. */
export function propertyName(name: string): string {
  return isIdentifier(name) ? name : quoted(name)
}

// Computed, it is a property like any other; plain, it would set the prototype.
function keyOf(name: string): string {
  return name === '__proto__' ? `['__proto__']` : propertyName(name)
}

function isIdentifier(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name)
}

function quoted(text: string): string {
  const json = escapeJson(JSON.stringify(text.toWellFormed()))
  return `'${json.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/**
 * A name for a pipeline, a table or a file, made of a path, a glob or any other text.
 *
 * @example
 * plainName('/data/Orders 2024.csv.gz') // => 'orders-2024'
 * plainName('logs/*.log') // => 'logs'
 */
export function plainName(text: string): string {
  const stems = text.split(/[/\\]/).map((part) => part.replace(/[*?[{(].*$/, '').replace(/(?<=.)\..*$|^\.+$/, ''))
  const stem = stems.findLast((part) => /[a-z0-9]/i.test(part)) ?? 'data'
  const name = stem
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
  const trimmed = name.replace(/^-+|-+$/g, '')
  return /^[a-z]/.test(trimmed) ? trimmed : `data-${trimmed}`
}
