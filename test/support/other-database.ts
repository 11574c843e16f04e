// A database that Sluice does not know, made of SQLite: no more than docs/guide/14-adding-a-sql-database.md asks of one.

import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { SluiceError } from '../../src/base/errors.ts'
import {
  type AboutSink,
  all,
  type Batch,
  type Columns,
  type DeadLetter,
  deadLetterAt,
  ensureTable,
  FITS,
  FOLDED,
  type FoundColumn,
  type FoundTable,
  faultOfRow,
  foldName,
  quoteName,
  type RowTable,
  run,
  runAsync,
  type Shape,
  type Sink,
  type SqlAnswer,
  type SqlDatabase,
  type SqlDialect,
  SqlInspector,
  SqlWriter,
  type Statement,
  sqlSink,
  storable,
  type Table,
  type TableColumn,
  type Tables,
  upsert,
  type Work,
} from '../../src/connect/index.ts'

interface Column extends TableColumn {
  takes(value: unknown): boolean
}

interface Found extends FoundTable {
  readonly columns: readonly (FoundColumn & { readonly type: string })[]
}

const TYPES = { text: 'text', integer: 'integer', time: 'integer' } as const
const TAKES: Readonly<Record<string, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string' && !value.includes('\0') && value.isWellFormed(),
  integer: Number.isSafeInteger,
}

const TABLES: Tables<Found, Column> = {
  rules: FOLDED,
  sqlName: quoteName,
  *find(table) {
    const columns = (yield* all('select name, type, pk from pragma_table_info(?)', [table])).map((row) => {
      return { name: String(row.name), type: String(row.type).toLowerCase(), isRequired: false, isKey: row.pk !== 0 }
    })
    if (columns.length === 0) return undefined
    const key = columns.filter(({ isKey }) => isKey).map(({ name }) => name)
    return { columns, isOurs: false, keys: [key] }
  },
  *lock() {},
  *create({ table, key }, columns) {
    const lines = columns.map(({ name, type }) => `${quoteName(name)} ${typeOf(type)}`)
    if (key !== undefined) lines.push(`primary key (${key.map(quoteName).join(', ')})`)
    yield* run(`create table ${quoteName(table)} (${lines.join(', ')})`)
  },
  *add({ table }, name, type) {
    yield* run(`alter table ${quoteName(table)} add column ${quoteName(name)} ${typeOf(type)}`)
  },
  *change({ shape }, { added }) {
    for (const [name, type] of added) yield* TABLES.add(shape, name, type)
    return [...added].map(([name, type]) => `added column ${name} ${type}`)
  },
  use: ({ type }, { name }) => ({ name, takes: TAKES[type] ?? (() => false) }),
  evolving: () => FITS,
  faultOf: () => undefined,
  unfit: (table, found) =>
    new SluiceError('SINK_MISMATCH', `Cannot use ${table}: ${found}`, { sink: '', table, found }),
}

function typeOf(type: string | undefined): string {
  return TYPES[type as keyof typeof TYPES] ?? 'text'
}

const DIALECT: SqlDialect = {
  parameter: () => '?',
  table: quoteName,
  tables: 'select lower(name) as name from sqlite_schema',
  fold: foldName,
  types: { bytes: 'blob', time: 'integer' },
  now: () => "cast(unixepoch('subsec') * 1000 as integer)",
  millis: (column) => column,
  letterMillis: (column) => column,
  storable,
  forUpdate: '',
  upsert,
  *lockTables() {},
  *alone() {},
  makeTable: (shape) => ensureTable(TABLES, shape),
}

class OtherDatabase implements SqlDatabase {
  readonly dialect = DIALECT
  readonly rules = FOLDED
  readonly step = 'other'
  readonly batch = { rows: 100, bytes: 1024 * 1024 }
  readonly #path: string
  readonly #database: DatabaseSync

  constructor(path: string) {
    this.#path = path
    this.#database = new DatabaseSync(path, { timeout: 1 })
    this.#database.exec('pragma journal_mode = wal; pragma synchronous = full')
  }

  /** Its answers come later, like those of a server. */
  async execute({ sql, values, isQuery }: Statement): Promise<SqlAnswer> {
    await turn()
    const statement = this.#database.prepare(sql)
    if (isQuery) return { rows: statement.all(...values), changes: 0 }
    return { rows: [], changes: Number(statement.run(...values).changes) }
  }

  do<T>(work: Work<T>): Promise<T> {
    return runAsync(work, (statement) => this.execute(statement))
  }

  async begin(act: 'read' | 'reset' | 'write'): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#database.exec(act === 'read' ? 'begin' : 'begin immediate')
        return
      } catch (error) {
        if (attempt === 500) throw error
        await sleep(20)
      }
    }
  }

  async commit(): Promise<void> {
    await turn()
    this.#database.exec('commit')
  }

  rollBack(): void {
    if (this.#database.isTransaction) this.#database.exec('rollback')
  }

  rows(shape: Shape): RowTable {
    return new OtherRows(this, shape)
  }

  trouble(error: unknown, act: string): unknown {
    if (!(error instanceof Error) || !('errcode' in error)) return error
    const details = { sink: this.#path, table: '', found: error.message }
    return new SluiceError('SINK_MISMATCH', `Cannot ${act} ${this.#path}: ${error.message}`, details, { cause: error })
  }

  async close(release: Work<void> | undefined): Promise<void> {
    this.rollBack()
    if (release !== undefined) await this.do(release)
    this.#database.close()
  }
}

class OtherRows implements RowTable {
  readonly #database: OtherDatabase
  readonly #shape: Shape
  #table: Table<Found, Column> | undefined

  constructor(database: OtherDatabase, shape: Shape) {
    this.#database = database
    this.#shape = shape
  }

  async ensure(): Promise<void> {
    this.#table = await this.#database.do(ensureTable(TABLES, this.#shape))
  }

  async enter(): Promise<void> {
    await this.ensure()
  }

  async write(rows: Batch): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = []
    const { sql: table, columns } = this.#table as Table<Found, Column>
    const names = columns.map(({ name }) => name)
    const marks = `(${names.map(() => '?').join(', ')})`
    const sql =
      this.#shape.key === undefined
        ? `insert into ${table} (${names.map(quoteName).join(', ')}) values ${marks}`
        : upsert({ table, columns: names, key: this.#shape.key, rows: [marks] })
    for (let at = 0; at < rows.length; at += 1) {
      const row = rows.at(at) as Readonly<Record<string, never>>
      const misfit = columns.find(({ name, takes }) => row?.[name] !== undefined && !takes(row[name]))
      const fault = faultOfRow(row) ?? (misfit === undefined ? undefined : `column ${misfit.name} takes no such value`)
      if (fault !== undefined) letters.push(deadLetterAt(rows, at, 'other', fault))
      else await this.#database.execute({ sql, values: names.map((name) => row[name] ?? null), isQuery: false })
    }
    return letters
  }
}

export interface OtherOptions {
  readonly table: string
  readonly key?: readonly string[]
  readonly columns: Columns
}

export function other<Row>(path: string, { table, key, columns }: OtherOptions): Sink<Row> {
  const tables = { table, key, columns, deadLetters: 'dead_letters' }
  const about: AboutSink<Row> = {
    kind: 'other',
    title: `table ${table} in ${path}`,
    deadLetters: `table ${tables.deadLetters} in ${path}`,
    database: `other ${path}`,
    inspect: async (pipeline) => {
      return new SqlInspector(existsSync(path) ? new OtherDatabase(path) : undefined, { ...tables, pipeline })
    },
  }
  return sqlSink(about, tables, async (options) => await SqlWriter.open<Row>(new OtherDatabase(path), options))
}
