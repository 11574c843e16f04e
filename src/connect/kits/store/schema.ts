// The tables of the store, their version, and the migration from the previous version.

import { SluiceError } from '../../../base/errors.ts'
import { holderOf } from '../../lease.ts'
import { shardText, WHOLE } from '../../shard.ts'
import type { SqlDialect } from './dialect.ts'
import { ANYBODY, isHeldFrom, leaseOf, selectLeases } from './leases.ts'
import { checkpointInvalid } from './stored-checkpoint.ts'
import { tablesOf } from './tables.ts'
import { all, run, type Work } from './work.ts'

/** The version of all tables together. Tables without a version are older than 3. */
export const STORE_VERSION = 3

/** What is stored of a pipeline besides its lease and its dead letters. */
export const KEPT: readonly string[] = ['sluice_checkpoints', 'sluice_positions', 'sluice_states', 'sluice_splits']
const VERSION = 'sluice_store'
const OWN = [VERSION, 'sluice_leases', ...KEPT]

/** Before version 3: notes of sinks without transactions had a table of their own, and there were no shards. */
const NOTES = 'sluice_notes'
const BEFORE = ['sluice_leases', 'sluice_checkpoints', 'sluice_states', NOTES]

interface Old {
  readonly table: string
  /** Empty where it has no rows. */
  readonly columns: readonly string[]
}

/** The definition of each table. Splits are those listed by a shard. */
function columnsIn({ types, session }: SqlDialect): Readonly<Record<string, string>> {
  const shard = 'pipeline text not null, shard text not null'
  return {
    [VERSION]: 'version integer not null',
    sluice_leases: `${shard}, token bigint not null, pid integer not null, host text not null, owner text not null,
      since ${types.time} not null, renewed ${types.time} not null,
      ${session === undefined ? '' : 'backend text, '}primary key (pipeline, shard)`,
    sluice_checkpoints: `${shard}, epoch bigint not null, totals text not null, splits integer not null,
      parts integer not null, committed_at ${types.time} not null, committed_by text, note text,
      primary key (pipeline, shard)`,
    sluice_positions: `pipeline text not null, split text not null, position text not null,
      primary key (pipeline, split)`,
    sluice_states: `${shard}, part text not null, state ${types.bytes} not null, primary key (pipeline, shard, part)`,
    sluice_splits: `pipeline text not null, split text not null, shard text not null, path text not null,
      head_bytes integer not null, head text not null, listed_by text not null, primary key (pipeline, split)`,
  }
}

/**
 * Creates missing tables, and migrates those of an earlier version: only then are rights to do so needed.
 *
 * @throws {SluiceError} CHECKPOINT_INVALID for tables of a later version; PIPELINE_HELD while a run of an earlier one goes on
 */
export function* createTables(dialect: SqlDialect, pipeline: string): Work<void> {
  if ((yield* missing(dialect, pipeline)).length === 0) return
  yield* dialect.lockTables()
  // Another instance may have created them meanwhile.
  const lacking = yield* missing(dialect, pipeline)
  const isOlder = lacking.includes(VERSION) && lacking.length < OWN.length
  const old = isOlder ? yield* setAside(dialect, pipeline) : []
  const columns = columnsIn(dialect)
  for (const table of isOlder ? OWN : lacking) {
    yield* run(`create table if not exists ${dialect.table(table)} (${columns[table]})`)
  }
  yield* takeBack(dialect, old)
  if (lacking.includes(VERSION)) yield* run(`insert into ${dialect.table(VERSION)} values (${STORE_VERSION})`)
}

/** @throws {SluiceError} CHECKPOINT_INVALID for tables of a later version */
export function* checkVersion(dialect: SqlDialect, pipeline: string): Work<void> {
  if ((yield* tablesOf(dialect, [VERSION])).length === 0) return
  const [row] = yield* all(`select version from ${dialect.table(VERSION)}`)
  const version = String(row?.version)
  if (version === String(STORE_VERSION)) return
  const found = `it is in tables of version ${version}, this Sluice reads ${STORE_VERSION}`
  throw checkpointInvalid(pipeline, found, 'use the Sluice that made them, or a later one')
}

function* missing(dialect: SqlDialect, pipeline: string): Work<readonly string[]> {
  yield* checkVersion(dialect, pipeline)
  const there = yield* tablesOf(dialect, OWN)
  return OWN.filter((table) => !there.includes(table))
}

/** Moves tables of an earlier version to temporary ones. */
function* setAside(dialect: SqlDialect, pipeline: string): Work<readonly Old[]> {
  yield* checkNoRun(dialect, pipeline)
  const old: Old[] = []
  for (const table of yield* tablesOf(dialect, BEFORE)) {
    const from = dialect.table(table)
    const [row] = yield* all(`select * from ${from} limit 1`)
    yield* run(`create temp table ${table}_before as select * from ${from}`)
    yield* run(`drop table ${from}`)
    old.push({ table, columns: Object.keys(row ?? {}) })
  }
  return old
}

function* takeBack(dialect: SqlDialect, old: readonly Old[]): Work<void> {
  const hasNotes = old.some(({ table }) => table === NOTES)
  for (const { table, columns } of old) {
    if (table !== NOTES && columns.length > 0) {
      const values = new Map(
        columns.filter((name) => name !== 'version' && name !== 'backend').map((name) => [name, name]),
      )
      values.set('shard', `'${shardText(WHOLE)}'`)
      if (table === 'sluice_checkpoints') {
        // Neither existed in every version.
        values.set('parts', columns.includes('parts') ? 'coalesce(parts, 0)' : '0')
        if (hasNotes)
          values.set('note', `(select note from ${NOTES}_before n where n.pipeline = b.pipeline and n.epoch = b.epoch)`)
      }
      const into = `${dialect.table(table)} (${[...values.keys()].join(', ')})`
      yield* run(`insert into ${into} select ${[...values.values()].join(', ')} from ${table}_before b`)
    }
  }
  for (const { table } of old) yield* run(`drop table ${table}_before`)
}

/** A run of an earlier version would commit into tables that no longer exist. */
function* checkNoRun(dialect: SqlDialect, pipeline: string): Work<void> {
  if ((yield* tablesOf(dialect, ['sluice_leases'])).length === 0) return
  for (const row of yield* all(selectLeases(dialect))) {
    const lease = leaseOf(row)
    if (!isHeldFrom(ANYBODY, lease)) continue
    const by = holderOf(lease)
    const message = `Cannot start ${pipeline}: its tables were made by an earlier Sluice, of which a run still holds ${lease.pipeline}: ${by}`
    throw new SluiceError('PIPELINE_HELD', message, { pipeline, by })
  }
}
