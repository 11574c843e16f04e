// The shape of a table in text: its delimiter, how many columns it has, and what its header says.

import { Rejection } from '../connect/format.ts'
import { tellDelimiter } from '../connect/formats/csv/delimiter.ts'
import type { Dialect } from '../connect/formats/csv/dialect.ts'
import { fieldCutter } from '../connect/formats/csv/fields.ts'
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
  const stated = /^\uFEFF?"?sep=(.)"?$/i.exec(lines[0] ?? '')?.[1]
  const written = lines.filter(isWritten).map((line) => line.replace(/^\uFEFF/, ''))
  const begun = written.slice(stated === undefined ? 0 : 1)
  const comments = begun.findIndex((line) => !line.startsWith('#'))
  const body = joinQuoted(begun.slice(Math.max(0, comments)))
  const delimiter = stated ?? tellDelimiter(DIALECT, () => body)
  const cut = fieldCutter({ ...DIALECT, delimiter })
  const fieldsIn = (record: string): number => [cut(record)].flat().length
  // A header may begin with it, too.
  const hasComments = comments > 1 || (comments === 1 && fieldsIn(begun[0] ?? '') !== fieldsIn(body[0] ?? ''))
  const text = hasComments ? begun.slice(comments) : begun
  const records = hasComments ? body : joinQuoted(begun)
  const all = records.flatMap((record) => {
    const fields = cut(record)
    return fields instanceof Rejection ? [] : [{ record, fields }]
  })
  const counts = new Map<number, number>()
  for (const {
    fields: { length },
  } of all)
    counts.set(length, (counts.get(length) ?? 0) + 1)
  const [columns = 0, count = 0] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? []
  const isTable = columns >= 2 && records.length >= 2 && count >= ALIKE * records.length
  if (
    all.length === 0 ||
    !(
      isNamed ||
      (isTable &&
        !isProse(
          delimiter,
          all.map(({ fields }) => fields),
        ))
    )
  )
    return undefined
  const at = all.findIndex(({ fields }) => fields.length >= columns - 1)
  const { record = '', fields = [] } = all[at] ?? {}
  const first = fields.map((field) => field ?? '')
  const [line = ''] = record.split('\n')
  const skip = at > 0 ? lines.findIndex((one) => one.replace(/^\uFEFF/, '') === line) : 0
  const hasQuotedNewlines = records.length < text.length
  return { delimiter, isStated: stated !== undefined, hasComments, skip, first, columns, hasQuotedNewlines }
}

/** Whether commas are those of sentences. */
function isProse(delimiter: string, records: readonly (readonly (string | null)[])[]): boolean {
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
