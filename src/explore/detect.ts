// Tells what a text is: JSON, an access log, syslog, CSV, or lines.

import { type LineFormat, Rejection } from '../connect/format.ts'
import { accessLog } from '../connect/formats/access-log/format.ts'
import { syslog } from '../connect/formats/syslog/format.ts'
import { readTable, type TableShape } from './csv-shape.ts'
import { type Head, type HeadText, isWritten } from './head.ts'

export type TextKind =
  | { readonly kind: 'ndjson' }
  | { readonly kind: 'json-array'; readonly path: readonly string[] }
  | { readonly kind: 'access-log' }
  | { readonly kind: 'syslog' }
  | { readonly kind: 'csv'; readonly shape: TableShape }
  | { readonly kind: 'lines' }

/** How many lines are tried. */
const TRIED = 500
/** The share of the tried lines that a format has to take. */
const MOST = 0.6

/** What a file's text is, by what is in it; its name decides only between CSV and plain lines. */
export function detect(name: string, head: Head, text: HeadText): TextKind {
  const lines = text.lines.filter(isWritten).slice(0, TRIED)
  const json = detectJson(head, text.text.replace(/^\uFEFF/, ''), lines)
  if (json !== undefined) return json
  if (takes(accessLog(), lines)) return { kind: 'access-log' }
  if (takes(syslog(), lines)) return { kind: 'syslog' }
  const shape = readTable(text.lines.slice(0, TRIED), /\.(csv|tsv|tab|psv)(\.|$)/i.test(name))
  return shape === undefined ? { kind: 'lines' } : { kind: 'csv', shape }
}

function takes(format: LineFormat<unknown>, lines: readonly string[]): boolean {
  const parse = format.open(() => lines)
  const origin = { source: '', line: 0, offset: 0, raw: '' }
  return share(lines, (line) => !(parse(line, origin) instanceof Rejection)) >= MOST
}

function share(lines: readonly string[], test: (line: string) => boolean): number {
  return lines.length === 0 ? 0 : lines.filter(test).length / lines.length
}

function detectJson(head: Head, text: string, lines: readonly string[]): TextKind | undefined {
  const first = /\S/.exec(text)?.[0]
  if (first !== '{' && first !== '[') return undefined
  const whole = head.isWhole ? parsed(text) : undefined
  if (whole !== undefined) {
    const path = pathToArray(whole)
    if (path !== undefined) return { kind: 'json-array', path }
  }
  const objects = share(lines, (line) => /^\s*[{[]/.test(line) && parsed(line) !== undefined)
  const isArrays = lines.length > 1 && objects >= MOST
  if (objects >= MOST && (first === '{' || isArrays)) return { kind: 'ndjson' }
  // Elements are read one by one: of a large file the beginning is enough.
  if (first === '[' && /^\s*\[\s*(?:[{["\]\d-]|true|false|null)/.test(text)) return { kind: 'json-array', path: [] }
  const path = first === '{' && !head.isWhole ? pathInText(text) : undefined
  return path === undefined ? undefined : { kind: 'json-array', path }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // It is not JSON: something else is tried.
  }
}

/** Keys down to the first array of objects, at most three levels down; undefined without one. */
function pathToArray(value: unknown, depth = 0): readonly string[] | undefined {
  if (Array.isArray(value)) return depth === 0 || isOfObjects(value) ? [] : undefined
  if (typeof value !== 'object' || value === null || depth === 3) return undefined
  for (const [key, one] of Object.entries(value)) {
    const path = pathToArray(one, depth + 1)
    if (path !== undefined) return [key, ...path]
  }
  return undefined
}

function isOfObjects(values: readonly unknown[]): boolean {
  return values.length > 0 && values.every((one) => typeof one === 'object' && one !== null && !Array.isArray(one))
}

/** The same for text that is only the beginning: a chain of first keys. */
function pathInText(text: string): readonly string[] | undefined {
  const chain = /^\s*((?:\{\s*"(?:[^"\\]|\\.){0,200}"\s*:\s*){1,3})\[\s*\{/.exec(text)?.[1]
  return chain === undefined ? undefined : [...chain.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([json]) => JSON.parse(json))
}
