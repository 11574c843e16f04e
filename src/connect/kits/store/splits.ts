// What the copies of a run have listed: each publishes its list, and checks that all see the same.

import { createHash } from 'node:crypto'
import { SluiceError } from '../../../base/errors.ts'
import { ownerOf, type Shard, shardText } from '../../shard.ts'
import type { ListedSplit } from '../../sink.ts'
import type { SqlDialect } from './dialect.ts'
import { countOf } from './leases.ts'
import { committer } from './stored-checkpoint.ts'
import { parameters, pieces, rowsOf } from './tables.ts'
import { run, type SqlRow, type SqlValue, type Work } from './work.ts'

/** Splits written or deleted by one statement. */
const AT_ONCE = 500
const COLUMNS = ['pipeline', 'split', 'shard', 'path', 'head_bytes', 'head', 'listed_by']

export interface Sharing {
  /** Splits that have a position. */
  readonly known: ReadonlySet<string>
  /** Shards that are held. */
  readonly atWork: ReadonlySet<string>
  /** Whether to compare, and to publish nothing. */
  readonly isDryRun: boolean
}

export class SplitTable {
  readonly #dialect: SqlDialect
  readonly #pipeline: string
  readonly #shard: string

  constructor(dialect: SqlDialect, pipeline: string, shard: Shard) {
    this.#dialect = dialect
    this.#pipeline = pipeline
    this.#shard = shardText(shard)
  }

  /**
   * Compares what this copy has listed with the lists of others, and adds what they lack. What others listed and this
   * one does not see must have been read: files may be removed once they are.
   *
   * @returns those of shards at work that have not seen them
   * @throws {SluiceError} SOURCE_DIFFERS
   */
  *share(listed: readonly ListedSplit[], { known, atWork, isDryRun }: Sharing): Work<readonly ListedSplit[]> {
    if (!isDryRun) yield* this.#dialect.alone(this.#pipeline)
    const missing = new Map(listed.map((split) => [split.name, split]))
    const gone: string[] = []
    for (const row of yield* rowsOf(this.#dialect, 'sluice_splits', this.#pipeline)) {
      const name = String(row.split)
      const own = missing.get(name)
      const isOld = row.shard === this.#shard || countOf(String(row.shard)) !== countOf(this.#shard)
      if (own !== undefined && isSame(own, row)) missing.delete(name)
      // What this copy, or one of another count, has listed earlier is replaced.
      else if (isOld) gone.push(name)
      else if (own !== undefined)
        throw this.#differs(row, `${JSON.stringify(own.path)} begins with other bytes`, own.path)
      else if (!known.has(name) && !known.has(String(row.path)))
        throw this.#differs(row, 'this shard does not see it, and no shard has read it', '')
    }
    if (!isDryRun) {
      yield* this.#forget(gone)
      yield* this.#add([...missing.values()])
    }
    const count = Number(countOf(this.#shard))
    return [...missing.values()].filter(({ name }) => {
      const owner = shardText(ownerOf(name, count))
      return owner !== this.#shard && atWork.has(owner) && !known.has(name)
    })
  }

  *#forget(names: readonly string[]): Work<void> {
    const { parameter, table } = this.#dialect
    for (const some of pieces(names, AT_ONCE)) {
      const sql = `delete from ${table('sluice_splits')} where pipeline = ${parameter(1)} and split in (${parameters(this.#dialect, some.length, 2)})`
      yield* run(sql, [this.#pipeline, ...some])
    }
  }

  *#add(listed: readonly ListedSplit[]): Work<void> {
    const table = this.#dialect.table('sluice_splits')
    const by = committer()
    for (const some of pieces(listed, AT_ONCE)) {
      const values = some.map(({ name, path, head = NONE }): readonly SqlValue[] => {
        return [this.#pipeline, name, this.#shard, path, head.length, digestOf(head), by]
      })
      const rows = some.map((_, at) => `(${parameters(this.#dialect, COLUMNS.length, at * COLUMNS.length + 1)})`)
      yield* run(this.#dialect.upsert({ table, columns: COLUMNS, key: ['pipeline', 'split'], rows }), values.flat())
    }
  }

  #differs({ split, shard, path, listed_by: by }: SqlRow, found: string, other: string): SluiceError<'SOURCE_DIFFERS'> {
    const listed = `shard ${shard} has listed ${JSON.stringify(path)} (${by})`
    const way = 'copies share what all of them see: give each the same files, or a pipeline of its own'
    const message = `Cannot run ${this.#pipeline} as shard ${this.#shard}: of ${JSON.stringify(split)}, ${listed}, and ${found}; ${way}`
    return new SluiceError('SOURCE_DIFFERS', message, { source: String(path), other })
  }
}

const NONE = new Uint8Array()

/** Files grow: their beginning stays the same. */
function isSame({ head }: ListedSplit, row: SqlRow): boolean {
  if (head === undefined) return true
  const bytes = Number(row.head_bytes)
  return head.length >= bytes && digestOf(head.subarray(0, bytes)) === row.head
}

function digestOf(head: Uint8Array): string {
  return createHash('sha256').update(head).digest('hex').slice(0, 32)
}
