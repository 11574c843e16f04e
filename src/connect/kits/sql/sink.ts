// What sinks of SQL databases have in common.

import type { Sink, SinkOptions, SinkWriter } from '../../sink.ts'
import type { SqlWriter, SqlWriterOptions } from '../store/writer.ts'
import type { TableOptions } from './sink-options.ts'

/** What a sink says of itself, and how it is looked at. */
export type AboutSink<Row> = Pick<
  Sink<Row>,
  'kind' | 'title' | 'deadLetters' | 'epochs' | 'locks' | 'database' | 'inspect'
>

/** @param open - opens a writer; nothing of a database is loaded before that */
export function sqlSink<Row>(
  about: AboutSink<Row>,
  tables: TableOptions,
  open: (options: SqlWriterOptions) => Promise<SinkWriter<Row>>,
): Sink<Row> {
  const optionsOf = ({ columns, key, ...given }: SinkOptions): SqlWriterOptions => {
    given.signal?.throwIfAborted()
    return { ...tables, ...given, columns: tables.columns ?? columns, key: tables.key ?? key }
  }
  return {
    ...about,
    guarantee: 'exactly-once',
    takesShards: true,
    isKeyed: tables.key !== undefined,
    open: async (given) => await open(optionsOf(given)),
    dryRun: async (given) => await open({ ...optionsOf(given), isDryRun: true }),
    // Of the same database, it is made by the same function.
    openBeside: async (writer, given) => await (writer as SqlWriter<never>).beside<Row>(optionsOf(given)),
  }
}
