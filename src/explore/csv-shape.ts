// The shape of a table in text: its delimiter, how many columns it has, and what its header says.

import { Rejection } from '../connect/format.ts'
import { tellDelimiter } from '../connect/formats/csv/delimiter.ts'
import type { Dialect } from '../connect/formats/csv/dialect.ts'
import { type Fields, fieldCutter } from '../connect/formats/csv/fields.ts'
import { isWritten } from './head.ts'

export interface TableShape {
  readonly delimiter: string
  /** Whether a first line `sep=;` says so: then the source sees it, too. */
  readonly isStated: boolean
  /** Whether lines before the table are comments, which begin with `#`. */
  readonly hasComments: boolean
  /** Lines that precede the table: a title. */
  readonly skip: number
  /** The fields of the first record after those. */
  readonly first: readonly string[]
  /** How many fields most records have. */
  readonly columns: number
  /** Whether a quoted field was seen that reaches over a line end. */
  readonly hasQuotedNewlines: boolean
}

const DIALECT: Omit<Dialect, 'delimiter'> = {
  quote: '"',
  escape: undefined,
  comment: undefined,
  trim: false,
  quotedNewlines: true,
  nulls: undefined,
  maxFields: 10_000,
  maxRecordBytes: 1024 * 1024,
}

/** The share of the records that must have as many fields as most, for text that is not called CSV. */
const ALIKE = 0.8

/**
 * The shape of a table; undefined for any other text.
 *
 * @param isNamed - whether the file is called one: then it may have one column, and records of any length
 */
export function readTable(lines: readonly string[], isNamed: boolean): TableShape | undefined {
  const bare = lines.map((line) => line.replace(/^\uFEFF/, ''))
  const stated = /^"?sep=(.)"?$/i.exec(bare[0] ?? '')?.[1]
  const written = bare.filter(isWritten).slice(stated === undefined ? 0 : 1)
  const comments = Math.max(
    0,
    written.findIndex((line) => !line.startsWith('#')),
  )
  const delimiter = stated ?? tellDelimiter(DIALECT, () => joinQuoted(written.slice(comments)))
  const cut = fieldCutter({ ...DIALECT, delimiter })
  const fieldsOf = (record: string): Fields => {
    const fields = cut(record)
    return fields instanceof Rejection ? [] : fields
  }
  // A header may begin with # too.
  const isHeader = comments === 1 && fieldsOf(written[0] ?? '').length === fieldsOf(written[1] ?? '').length
  const hasComments = comments > 0 && !isHeader
  const text = hasComments ? written.slice(comments) : written
  const records = joinQuoted(text)
  const rows = records.map(fieldsOf)
  const { columns, share } = commonestCount(rows)
  const isTable = columns >= 2 && rows.length >= 2 && share >= ALIKE && !isProse(delimiter, rows)
  if (columns === 0 || !(isTable || isNamed)) return undefined
  const at = rows.findIndex(({ length }) => length > 0 && length >= columns - 1)
  const [firstLine = ''] = records[at]?.split('\n') ?? []
  return {
    delimiter,
    isStated: stated !== undefined,
    hasComments,
    skip: at > 0 ? bare.indexOf(firstLine) : 0,
    first: (rows[at] ?? []).map((field) => field ?? ''),
    columns,
    hasQuotedNewlines: records.length < text.length,
  }
}

/** How many fields most records have, and the share of those; records that cannot be cut have none. */
function commonestCount(rows: readonly Fields[]): { readonly columns: number; readonly share: number } {
  const counts = new Map<number, number>()
  for (const { length } of rows) if (length > 0) counts.set(length, (counts.get(length) ?? 0) + 1)
  const [columns = 0, count = 0] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? []
  return { columns, share: count / rows.length }
}

/** Whether commas are those of sentences. */
function isProse(delimiter: string, records: readonly Fields[]): boolean {
  if (delimiter !== ',') return false
  const clauses = records.filter((fields) => fields.slice(1).every((field) => /^ \S+ /.test(field ?? '')))
  return clauses.length > records.length / 2
}

/** Lines put together where a quote is open at their end. */
function joinQuoted(lines: readonly string[]): string[] {
  const records: string[] = []
  let open: string | undefined
  for (const line of lines) {
    const record: string = open === undefined ? line : `${open}\n${line}`
    const isOpen = record.split('"').length % 2 === 0 && /(?:^|[,;\t|]) *"/.test(record)
    open = isOpen && record.length < 10_000 ? record : undefined
    if (open === undefined) records.push(record)
  }
  if (open !== undefined) records.push(...open.split('\n'))
  return records
}
