// Which tables exist.

import type { SqlDialect } from './dialect.ts'
import { all, type SqlRow, type Work } from './work.ts'

/** Those of the given names that exist. */
export function* tablesOf(dialect: SqlDialect, names: readonly string[]): Work<readonly string[]> {
  const marks = names.map((_, at) => dialect.parameter(at + 1)).join(', ')
  const folded = names.map((name) => dialect.fold(name))
  const rows = yield* all(`select name from (${dialect.tables}) as found where name in (${marks})`, folded)
  const there = new Set(rows.map(({ name }) => name))
  return names.filter((_, at) => there.has(folded[at]))
}

export function* hasTable(dialect: SqlDialect, name: string): Work<boolean> {
  return (yield* tablesOf(dialect, [name])).length > 0
}

/** What a table stores of a pipeline; nothing if the table does not exist. */
export function* rowsOf(dialect: SqlDialect, table: string, pipeline: string, limit?: number): Work<readonly SqlRow[]> {
  if (!(yield* hasTable(dialect, table))) return []
  return yield* all(
    `select * from ${dialect.table(table)} where pipeline = ${dialect.parameter(1)}${limit === undefined ? '' : ` limit ${limit}`}`,
    [pipeline],
  )
}

/** Placeholders for so many parameters, from that number on: `$3, $4`. */
export function parameters(dialect: SqlDialect, count: number, from = 1): string {
  return Array.from({ length: count }, (_, at) => dialect.parameter(from + at)).join(', ')
}

/** Pieces of a list, none longer than `size`. */
export function* pieces<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < list.length; from += size) yield list.slice(from, from + size)
}
