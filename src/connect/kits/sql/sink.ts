// What sinks of SQL databases have in common.

import { definedOf } from '../../../base/options.ts'
import type { Sink, SinkOptions, SinkWriter } from '../../sink.ts'
import type { SqlWriter, SqlWriterOptions } from '../store/writer.ts'
import type { TableOptions } from './sink-options.ts'

/** How a sink describes itself, and how it is inspected. */
export type AboutSink<Row> = Pick<
  Sink<Row>,
  'kind' | 'title' | 'deadLetters' | 'epochs' | 'locks' | 'database' | 'inspect' | 'lends'
>

/**
 * @param open - opens a writer; the database client is loaded then
 */
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
    ...definedOf({ key: tables.key }),
    open: async (given) => await open(optionsOf(given)),
    dryRun: async (given) => await open({ ...optionsOf(given), isDryRun: true }),
    // Made by the same function for the same database.
    openBeside: async (writer, given) => await (writer as SqlWriter<never>).beside<Row>(optionsOf(given)),
  }
}
