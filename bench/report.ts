// Where tables go: to the terminal, and with `--markdown FILE` into a page, in which each takes the place of the table
// of the same title.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'

export type Row = Readonly<Record<string, string>>

const [BEGIN, END] = ['<!-- tables -->', '<!-- end of tables -->']

/** Set once, before the first table. */
const page = { path: '', note: '' }

/** Tables go into this page, too; a note says what stands against their figures. */
export function writeTablesTo(path: string, note: string): void {
  page.path = path
  page.note = note
}

/** The machine, the date and what runs, in one line. */
export function machine(): string {
  const cores = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return `${cores}, ${memory}, ${process.platform}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`
}

export function report(title: string, how: string, rows: readonly Row[]): void {
  console.log(`\n${title} (${how})`)
  console.table(rows)
  if (page.path !== '') intoPage(title, `${how[0]?.toUpperCase()}${how.slice(1)}; ${machine()}.`, rows)
}

function intoPage(title: string, how: string, rows: readonly Row[]): void {
  const old = existsSync(page.path) ? readFileSync(page.path, 'utf8') : `${BEGIN}\n${END}\n`
  const [begin, end] = [old.indexOf(BEGIN), old.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`${page.path} has no place for tables: it lacks ${BEGIN} and ${END}`)
  const sections = new Map<string, string>()
  for (const section of old.slice(begin + BEGIN.length, end).split(/^### /m)) {
    const text = section.trim()
    if (text !== '') sections.set(text.split('\n', 1)[0] ?? '', text)
  }
  const caption = page.note === '' ? how : `${how} **${page.note}**`
  sections.set(title, `${title}\n\n${caption}\n\n${markdownOf(rows)}`)
  const tables = [...sections.values()].map((text) => `\n### ${text}\n`).join('')
  writeFileSync(page.path, `${old.slice(0, begin)}${BEGIN}\n${tables}\n${old.slice(end)}`)
}

function markdownOf(rows: readonly Row[]): string {
  const names = Object.keys(rows[0] ?? {})
  const isNumber = (name: string): boolean => rows.every((row) => /^[\d.,]*$/.test(row[name] ?? ''))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [
    line(names),
    line(names.map((name) => (isNumber(name) ? '---:' : '---'))),
    ...rows.map((row) => line(names.map((name) => row[name] ?? ''))),
  ].join('\n')
}
