// The writer of several sinks: writes into the first, and into files for the others.

import { randomUUID } from 'node:crypto'
import { definedOf } from '../../base/options.ts'
import { type Batch, withOwnOrigins } from '../batch.ts'
import { makeRoot, syncFolder } from '../kits/files/disk.ts'
import { newOwner } from '../lease.ts'
import type { DeadLetter, Origin } from '../origin.ts'
import type { BatchSize, Checkpoint, Sink, SinkOptions, SinkWriter, StoredDeadLetter } from '../sink.ts'
import { BranchWriter } from './branches/branch-writer.ts'
import { isJoined } from './branches/is-joined.ts'
import { Joined } from './branches/joined.ts'
import {
  type BranchRecord,
  branchesInvalid,
  branchPipeline,
  type FanOutRecord,
  RECORD,
  readRecord,
  recordBytes,
} from './branches/record.ts'
import { type Branch, type Routed, route } from './branches/route.ts'
import { type PackedRows, packRows, Spool, type SpoolFile } from './branches/spool.ts'

/** The most that may wait for a branch by default: 64 MiB. */
const LAG_BYTES = 64 * 1024 * 1024

export interface FanOutWriterOptions<Row> {
  /** Absent if no branch needs any. */
  readonly spool?: string | undefined
  readonly where: ((row: Row) => boolean) | undefined
  readonly branches: ReadonlyMap<string, Branch<Row>>
}

interface BranchAtWork {
  /** The index of its rows among those of all branches. */
  readonly at: number
  readonly spool: Spool
  readonly branchWriter: BranchWriter
  /** The last file that was committed. */
  seq: number
}

export class FanOutWriter<Row> implements SinkWriter<Row> {
  readonly checkpoint: Checkpoint | undefined
  readonly batch?: BatchSize
  readonly deleteDeadLetters?: (letters: readonly StoredDeadLetter[]) => void | Promise<void>
  readonly #first: SinkWriter<Row>
  readonly #route: (rows: Batch<Row>) => Routed<Row>
  readonly #folder: string
  readonly #branches: readonly BranchAtWork[]
  readonly #joined: readonly Joined[]
  readonly #lineage: string
  /** Former branches: one that comes back continues where it was. */
  readonly #former: FanOutRecord['branches']
  /** As last committed. */
  #recorded: string
  #isClosed = false

  private constructor(parts: {
    readonly first: SinkWriter<Row>
    readonly route: (rows: Batch<Row>) => Routed<Row>
    readonly folder: string
    readonly branches: readonly BranchAtWork[]
    readonly joined: readonly Joined[]
    readonly record: FanOutRecord | undefined
    readonly lineage: string
  }) {
    const { first, record, branches } = parts
    this.#first = first
    this.#route = parts.route
    this.#folder = parts.folder
    this.#branches = branches
    this.#joined = parts.joined
    this.#lineage = parts.lineage
    const names = new Set([
      ...branches.map(({ branchWriter }) => branchWriter.name),
      ...parts.joined.map(({ options }) => options.name),
    ])
    this.#former = Object.fromEntries(Object.entries(record?.branches ?? {}).filter(([name]) => !names.has(name)))
    this.#recorded = record === undefined ? '' : JSON.stringify(record)
    this.checkpoint = first.checkpoint === undefined ? undefined : withoutRecord(first.checkpoint)
    if (first.batch !== undefined) this.batch = first.batch
    if (first.deleteDeadLetters !== undefined) this.deleteDeadLetters = (letters) => first.deleteDeadLetters?.(letters)
  }

  /** Opens the first sink, then the others: each continues with what was committed for it and it has not taken. */
  static async open<Row>(
    sink: Sink<Row>,
    { spool: folder = '', where, branches: given }: FanOutWriterOptions<Row>,
    opening: SinkOptions,
  ): Promise<FanOutWriter<Row>> {
    const { pipeline, owner = newOwner() } = opening
    const first = await sink.open({ ...opening, owner })
    const branches: BranchAtWork[] = []
    const joined: Joined[] = []
    try {
      const kept = first.checkpoint?.states.get(RECORD)
      const record = kept === undefined ? undefined : readRecord(pipeline, kept)
      const lineage = record?.lineage ?? randomUUID()
      if (folder !== '') await makeRoot(folder)
      for (const [name, { files }] of Object.entries(record?.branches ?? {})) {
        if (!given.has(name)) await checkGone(pipeline, name, new Spool(folder, branchPipeline(pipeline, name)), files)
      }
      for (const [at, [name, { into, mayLagBytes = LAG_BYTES, map }]] of [...given].entries()) {
        const { seq, files } = record?.branches[name] ?? { seq: 0, files: [] }
        const owned = branchPipeline(pipeline, name)
        const spool = new Spool(folder, owned)
        if (folder !== '') await spool.clear(new Set(files.map((file) => file.name)))
        const { columns, types, key: _, ...rest } = opening
        const known = map === undefined ? definedOf({ columns, types }) : {}
        const its = { ...rest, ...known, pipeline: owned, owner }
        const options = { name, sink: into as Sink<unknown>, spool, mayLagBytes, lineage, opening: its, seq, files }
        if (isJoined(sink, into)) {
          joined.push(await Joined.open(first, at, options))
          continue
        }
        const branchWriter = new BranchWriter(options)
        branches.push({ at, spool, branchWriter, seq })
        await branchWriter.start()
      }
      const routes = [...given.values()]
      const parts = { first, folder, branches, joined, record, lineage }
      return new FanOutWriter({ ...parts, route: (rows) => route(rows, where, routes) })
    } catch (error) {
      await Promise.allSettled(branches.map(({ branchWriter }) => branchWriter.close()))
      await first.close()
      throw error
    }
  }

  async write(rows: Batch<Row>): Promise<readonly DeadLetter[]> {
    for (const { branchWriter } of this.#branches) await branchWriter.caughtUp()
    const { first, branches, letters } = this.#route(withOwnOrigins(rows))
    // By origin: a row that one sink rejects goes into no other, and becomes one dead letter.
    const dead = new Map<Origin, DeadLetter>()
    const add = (refused: readonly DeadLetter[]): void => {
      for (const letter of refused) if (!dead.has(letter.origin)) dead.set(letter.origin, letter)
    }
    const sound = <T>(batch: Batch<T>): Batch<T> => {
      if (dead.size === 0) return batch
      return batch.select([...batch.values().keys()].filter((at) => !dead.has(batch.origin(at) as Origin)))
    }
    const packed = this.#branches.map(({ at }) => packRows(branches[at] as Batch))
    for (const { letters: unfit } of packed) add(unfit)
    const taken = sound(first)
    if (taken.length > 0) add(await this.#first.write(taken))
    for (const branch of this.#joined) await branch.write(sound(branches[branch.at] as Batch))
    for (const [i, { at, spool }] of this.#branches.entries()) {
      const whole = packed[i] as PackedRows
      await spool.append(dead.size === 0 ? whole : packRows(sound(branches[at] as Batch)))
    }
    return [...letters, ...dead.values()]
  }

  writeDeadLetters(letters: readonly DeadLetter[]): void | Promise<void> {
    return this.#first.writeDeadLetters(letters)
  }

  async commit(checkpoint: Checkpoint): Promise<void> {
    const finished: (SpoolFile | undefined)[] = []
    for (const { spool, branchWriter, seq } of this.#branches) {
      branchWriter.check()
      finished.push(await spool.finish(seq + 1))
    }
    if (finished.some((file) => file !== undefined)) await syncFolder(this.#folder)
    for (const branch of this.#joined) await branch.commit()
    const record = this.#record(finished)
    const text = JSON.stringify(record)
    const states =
      text === this.#recorded ? checkpoint.states : new Map([...checkpoint.states, [RECORD, recordBytes(record)]])
    await this.#first.commit({ ...checkpoint, states })
    this.#recorded = text
    for (const [i, branch] of this.#branches.entries()) {
      const file = finished[i]
      if (file === undefined) continue
      branch.seq = file.seq
      branch.branchWriter.add(file)
    }
  }

  async flush(): Promise<void> {
    await Promise.all(this.#branches.map(({ branchWriter }) => branchWriter.settle()))
  }

  async renewLease(): Promise<void> {
    const renewing = [...this.#joined, ...this.#branches.map(({ branchWriter }) => branchWriter)].map((one) =>
      one.renew(),
    )
    await Promise.all([this.#first.renewLease?.(), ...renewing])
    for (const { branchWriter } of this.#branches) branchWriter.check()
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    // Branches first: while they work, nobody may take over the pipeline.
    await Promise.allSettled(this.#branches.map(({ branchWriter }) => branchWriter.close()))
    await Promise.allSettled(this.#branches.map(({ spool }) => spool.close()))
    await this.#first.close()
  }

  #record(finished: readonly (SpoolFile | undefined)[]): FanOutRecord {
    const branches: Record<string, BranchRecord> = { ...this.#former }
    for (const [i, { branchWriter, seq }] of this.#branches.entries()) {
      const file = finished[i]
      const files = file === undefined ? [...branchWriter.waiting] : [...branchWriter.waiting, file]
      branches[branchWriter.name] = { seq: file?.seq ?? seq, files }
    }
    for (const { options, seq } of this.#joined) branches[options.name] = { seq, files: [] }
    return { lineage: this.#lineage, branches }
  }
}

/** A branch with rows to take must not be forgotten. */
async function checkGone(pipeline: string, name: string, spool: Spool, files: readonly SpoolFile[]): Promise<void> {
  let rows = 0
  for (const file of files) if (await spool.has(file)) rows += file.rows
  if (rows > 0) throw branchesInvalid(pipeline, `${rows} rows wait for branch ${name}, which it no longer has`)
}

/** A checkpoint as the pipeline itself knows it. */
export function withoutRecord(checkpoint: Checkpoint): Checkpoint {
  const states = new Map(checkpoint.states)
  states.delete(RECORD)
  return { ...checkpoint, states }
}
