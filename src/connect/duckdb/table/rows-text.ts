// Rows as one text with separators between values and rows, which one statement splits.

import { randomBytes } from 'node:crypto'

/** What follows each value but a row's last, what separates rows, and what stands for null. */
export interface Separators {
  readonly field: string
  readonly row: string
  readonly none: string
}

/** Control characters meant for this; text rarely contains them. */
export const ANY: Separators = { field: '\x1f', row: '\x1e', none: '\x1d' }

/** Separators that nobody can have put into a text on purpose. */
export function unlikely(): Separators {
  const mark = randomBytes(8).toString('hex')
  return { field: `\x1f${mark}`, row: `\x1e${mark}`, none: `\x1d${mark}` }
}

/**
 * The rows of several texts, for a `select`: each is a list `s` of values. Takes {@link valuesOf} as parameters. The
 * texts are not joined first: a large one would stay in memory for long.
 *
 * The separators are literals: as parameters, which DuckDB assumes may differ from row to row, they make the statement
 * twice as slow.
 */
export function fromTexts(texts: number, { field, row }: Separators): string {
  const parameters = Array.from({ length: texts }, (_, at) => `$${at + 1}`)
  const from = texts === 1 ? '' : ` from (select unnest([${parameters.join(', ')}]) as t)`
  const rows = `unnest(string_split(${texts === 1 ? '$1' : 't'}, '${row}'))`
  return `(select string_split(${rows}, '${field}') as s${from})`
}

/** The value of a column, counted from 0, of a row of {@link fromTexts}. */
export function fieldOf(at: number, { none }: Separators): string {
  return `nullif(s[${at + 1}], '${none}')`
}

/** The parameters of {@link fromTexts}: that many texts, or fewer. */
export function valuesOf(texts: readonly string[], size: number): readonly (string | null)[] {
  return Array.from({ length: size }, (_, at) => texts[at] ?? null)
}

/**
 * Collects rows of equally many values. The text is valid only if `isClear`, since a value might contain a separator:
 * then they are collected again with other separators.
 */
export class RowsText {
  readonly #separators: Separators
  readonly #width: number
  readonly #rows: string[] = []
  /** The row being collected, and its number of values. */
  #row = ''
  #values = 0
  #hasNone = false
  /** All rows, once they are asked for. */
  #text: string | undefined

  constructor(width: number, separators: Separators) {
    this.#width = width
    this.#separators = separators
  }

  /** Adds a value to the row. */
  add(value: string | null): void {
    const { field, none } = this.#separators
    if (value === none) this.#hasNone = true
    if (this.#values > 0) this.#row += field
    this.#values += 1
    this.#row += value ?? none
  }

  /** Ends the row: it is the one with this number, or replaces it. */
  endRow(at: number): void {
    this.#rows[at] = this.#row
    this.dropRow()
  }

  /** Forgets what was added since the last end of a row. */
  dropRow(): void {
    this.#row = ''
    this.#values = 0
  }

  /** Whether no value contains a separator: there are exactly as many as were put between values. */
  isClear(): boolean {
    const { field, row } = this.#separators
    const rows = this.#rows.length
    if (rows === 0) return true
    const text = this.text()
    const isWhole = occurrences(text, row) === rows - 1 && occurrences(text, field) === rows * (this.#width - 1)
    return isWhole && !this.#hasNone
  }

  /** All rows. */
  text(): string {
    this.#text ??= this.#rows.join(this.#separators.row)
    return this.#text
  }
}

function occurrences(text: string, part: string): number {
  let count = 0
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count += 1
  return count
}
