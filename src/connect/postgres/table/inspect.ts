// Inspects what a PostgreSQL database stores of a pipeline.

import type { SqlConnection } from '../../kits/store/database.ts'
import { SqlInspector } from '../../kits/store/inspector.ts'
import type { StoreOptions } from '../../kits/store/store.ts'
import { PostgresClient } from '../client.ts'
import type { PostgresConnection } from '../connection.ts'
import { sinkError } from './errors.ts'
import { currentSchema, doWork, postgresDialect } from './session.ts'

export interface InspectOptions extends StoreOptions {
  readonly connection: string | PostgresConnection
  /** The server and database, for errors: never with a password. */
  readonly sink: string
  readonly schema: string | undefined
  /** The table named in errors. */
  readonly table: string
  readonly timeoutMs: number
}

const READ = 'begin isolation level repeatable read read only'
const RESET = 'begin isolation level read committed'

/**
 * @throws {SluiceError} SINK_LOST, SINK_UNREACHABLE or CONFIG_INVALID if it cannot connect
 */
export async function inspectPostgres(options: InspectOptions): Promise<SqlInspector> {
  const { connection, pipeline, timeoutMs } = options
  let client: PostgresClient | undefined
  try {
    client = await PostgresClient.open({ connection, name: `sluice/${pipeline}`, timeoutMs, signal: undefined })
    const schema = options.schema ?? (await doWork(client, currentSchema()))
    if (schema !== undefined) return new SqlInspector(connectionOf(client, { ...options, schema }), options)
    // Without one there are no tables either.
    await client.close()
    return new SqlInspector(undefined, options)
  } catch (error) {
    await client?.close()
    throw sinkError(error, options, 'open')
  }
}

function connectionOf(client: PostgresClient, options: InspectOptions & { readonly schema: string }): SqlConnection {
  const { sink, schema } = options
  return {
    dialect: postgresDialect({ sink, schema, create: false }, false),
    do: (work) => doWork(client, work),
    async begin(kind) {
      await client.query(kind === 'read' ? READ : RESET)
    },
    async commit() {
      await client.query('commit')
    },
    async rollBack() {
      if (!client.isLost) await client.query('rollback')
    },
    trouble: (error, act) => sinkError(error, options, act),
    close: () => client.close(),
  }
}
