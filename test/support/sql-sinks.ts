// The three SQL databases behind one face: tables are made, rows loaded by a pipeline's sink, and values read back.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { batchOf } from '../../src/connect/batch.ts'
import type { Columns } from '../../src/connect/column.ts'
import { Session } from '../../src/connect/duckdb/connection.ts'
import { duckdbSink } from '../../src/connect/duckdb/sink.ts'
import { postgresSink } from '../../src/connect/postgres/sink.ts'
import type { Sink } from '../../src/connect/sink.ts'
import { sqliteSink } from '../../src/connect/sqlite/sink.ts'
import { NO_TOTALS } from '../../src/connect/totals.ts'
import { PostgresServer } from './postgres.ts'

export interface Load {
  readonly table?: string
  readonly key?: readonly string[]
  readonly columns?: Columns
  readonly schema?: 'freeze' | 'evolve'
}

/** One database, of its own for each test. */
export interface SqlSink {
  readonly name: 'SQLite' | 'PostgreSQL' | 'DuckDB'
  execute(sql: string): Promise<void>
  /** Rows with values as texts, null as null; bytes in hex. */
  read(sql: string): Promise<Record<string, string | null>[]>
  sink(load?: Load): Sink<unknown>
}

/** What came of a load. */
export interface Loaded {
  readonly reasons: readonly string[]
  readonly notes: readonly string[]
}

/** Loads batches in one epoch. */
export async function load(sink: Sink<unknown>, ...batches: readonly (readonly unknown[])[]): Promise<Loaded> {
  const notes: string[] = []
  const writer = await sink.open({ pipeline: 'test', onNote: (note) => notes.push(note) })
  try {
    const reasons: string[] = []
    let line = 0
    for (const batch of batches) {
      const from = line + 1
      line += batch.length
      const at = (index: number) => {
        return { source: 'a.log', line: from + index, offset: (from + index) * 10, raw: `line ${from + index}` }
      }
      for (const letter of await writer.write(batchOf(batch, { at }))) reasons.push(letter.reason)
    }
    const epoch = (writer.checkpoint?.epoch ?? 0) + 1
    await writer.commit({ epoch, positions: new Map([['a.log', epoch]]), states: new Map(), totals: NO_TOTALS })
    return { reasons, notes }
  } finally {
    await writer.close()
  }
}

export class SqlSinks {
  readonly #folder = mkdtempSync(join(tmpdir(), 'sluice-sql-'))
  readonly #server: PostgresServer
  #count = 0

  private constructor(server: PostgresServer) {
    this.#server = server
  }

  static async start(): Promise<SqlSinks> {
    return new SqlSinks(await PostgresServer.start())
  }

  /** All three, each with a new database. */
  async each(): Promise<readonly SqlSink[]> {
    return [this.sqlite(), await this.postgres(), this.duckdb()]
  }

  sqlite(): SqlSink {
    this.#count += 1
    const path = join(this.#folder, `${this.#count}.db`)
    const use = <T>(work: (database: DatabaseSync) => T): T => {
      const database = new DatabaseSync(path, { readBigInts: true })
      try {
        return work(database)
      } finally {
        database.close()
      }
    }
    return {
      name: 'SQLite',
      execute: async (sql) => use((database) => database.exec(sql)),
      read: async (sql) => use((database) => database.prepare(sql).all().map(shown)),
      sink: ({ table = 't', ...options } = {}) => sqliteSink(path, { table, ...options }),
    }
  }

  async postgres(): Promise<SqlSink> {
    const server = this.#server
    const database = await server.createDatabase()
    const client = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
      const one = new pg.Client({
        connectionString: server.url(database),
        types: { getTypeParser: () => String } as never,
      })
      await one.connect()
      try {
        return await work(one)
      } finally {
        await one.end()
      }
    }
    return {
      name: 'PostgreSQL',
      execute: async (sql) => void (await client((one) => one.query(sql))),
      read: async (sql) => await client(async (one) => (await one.query(sql)).rows),
      sink: ({ table = 't', ...options } = {}) => postgresSink(server.url(database), { table, ...options }),
    }
  }

  duckdb(): SqlSink {
    this.#count += 1
    const path = join(this.#folder, `${this.#count}.duckdb`)
    const use = async <T>(work: (session: Session) => Promise<T>): Promise<T> => {
      const session = await Session.open(path)
      try {
        return await work(session)
      } finally {
        session.close()
      }
    }
    return {
      name: 'DuckDB',
      execute: async (sql) => void (await use((session) => session.run(sql))),
      read: (sql) => use(async (session) => (await session.all(sql)).map(shown)),
      sink: ({ table = 't', ...options } = {}) => duckdbSink(path, { table, ...options }),
    }
  }

  async stop(): Promise<void> {
    await this.#server.stop()
    rmSync(this.#folder, { recursive: true })
  }
}

function shown(row: Record<string, unknown>): Record<string, string | null> {
  const texts = Object.entries(row).map(([name, value]): [string, string | null] => {
    if (value === null) return [name, null]
    return [name, value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)]
  })
  return Object.fromEntries(texts)
}
