// A sink in memory, with commits and leases: for the tests of the suite itself, which break it on purpose.

import { type Batch, deadLetterAt } from '../../../connect/batch.ts'
import { fenced, type Lease, nextLease, pipelineHeld } from '../../../connect/lease.ts'
import type { DeadLetter } from '../../../connect/origin.ts'
import type {
  Checkpoint,
  Sink,
  SinkInspector,
  SinkOptions,
  SinkWriter,
  StoredDeadLetter,
} from '../../../connect/sink.ts'
import type { SeenRow } from './subject.ts'

/** What is stored of one pipeline. */
interface Kept {
  checkpoint: Checkpoint | undefined
  lease: Lease | undefined
  readonly letters: Map<string, StoredDeadLetter>
}

/** How a broken sink differs. */
export interface Faults {
  /** Rows are there before they are committed. */
  readonly writesAtOnce?: boolean
  /** Dead letters are there before they are committed. */
  readonly buriesAtOnce?: boolean
  readonly exhumesAtOnce?: boolean
  /** The checkpoint holds only what moved last. */
  readonly forgetsPositions?: boolean
  /** A part without bytes stays as a part without bytes. */
  readonly keepsEmptyStates?: boolean
  readonly losesTotals?: boolean
  readonly mixesPipelines?: boolean
  /** The row that was there first stays. */
  readonly firstRowWins?: boolean
  /** One rejected row, and nothing of its batch is written. */
  readonly dropsBatches?: boolean
  readonly letsSeveralIn?: boolean
  readonly commitsThoughFenced?: boolean
  /** Closing releases the lease, whoever holds it. */
  readonly releasesLeaseOfOthers?: boolean
  readonly neverExpires?: boolean
  readonly renewsNothing?: boolean
  readonly keepsOutItsOwner?: boolean
  readonly resetsWhileHeld?: boolean
  readonly resetsAll?: boolean
  readonly pagesOverlap?: boolean
  readonly cutsTexts?: boolean
  readonly countsLettersTwice?: boolean
}

interface Key {
  readonly isKeyed: boolean
  readonly faults: Faults
}

/** A store for any number of pipelines. */
export class MemoryStore {
  readonly #key: Key
  readonly #kept = new Map<string, Kept>()
  readonly rows: SeenRow[] = []

  constructor({ isKeyed = true, faults = {} }: { isKeyed?: boolean; faults?: Faults } = {}) {
    this.#key = { isKeyed, faults }
  }

  get sink(): Sink<SeenRow> {
    return {
      kind: 'memory',
      title: 'rows in memory',
      deadLetters: 'dead letters in memory',
      guarantee: 'exactly-once',
      open: async (options) => this.#open(options),
      inspect: async (pipeline) => this.#inspect(pipeline),
    }
  }

  #keptOf(pipeline: string): Kept {
    const name = this.#key.faults.mixesPipelines === true ? '' : pipeline
    const kept = this.#kept.get(name) ?? { checkpoint: undefined, lease: undefined, letters: new Map() }
    this.#kept.set(name, kept)
    return kept
  }

  #open({ pipeline, owner = Math.random().toString(), leaseMs = 15_000 }: SinkOptions): SinkWriter<SeenRow> {
    const { faults } = this.#key
    const kept = this.#keptOf(pipeline)
    const nowMs = performance.now()
    const { lease } = kept
    if (lease !== undefined && lease.pid !== 0 && faults.letsSeveralIn !== true) {
      const isOwn = lease.owner === owner && faults.keepsOutItsOwner !== true
      const isOver = nowMs - lease.renewedMs > leaseMs && faults.neverExpires !== true
      if (!isOwn && !isOver) throw pipelineHeld(pipeline, { ...lease, sinceMs: 0 })
    }
    kept.lease = nextLease(lease, { owner, leaseMs, nowMs })
    return this.#writer(pipeline, kept, kept.lease.token)
  }

  #writer(pipeline: string, kept: Kept, token: number): SinkWriter<SeenRow> {
    const { faults } = this.#key
    const restored = kept.checkpoint
    let pending: (() => void)[] = []
    const isOurs = (): boolean => kept.lease?.token === token || faults.commitsThoughFenced === true
    const later = (work: () => void, isAtOnce = false): void => {
      if (isAtOnce) work()
      else pending.push(work)
    }
    return {
      checkpoint: restored,
      write: (rows) => this.#write(rows, (work) => later(work, faults.writesAtOnce)),
      writeDeadLetters(letters) {
        const epoch = (kept.checkpoint?.epoch ?? 0) + 1
        for (const letter of letters) {
          const { part = 0 } = letter.origin
          const raw = faults.cutsTexts === true ? letter.origin.raw.slice(0, 1000) : letter.origin.raw
          const name = faults.countsLettersTwice === true ? Math.random().toString() : placeOf(letter, part)
          const timeMs = Date.now()
          const stored = { ...letter, origin: { ...letter.origin, raw }, part, epoch, timeMs }
          later(() => kept.letters.set(name, stored), faults.buriesAtOnce)
        }
      },
      deleteDeadLetters(letters) {
        for (const letter of letters)
          later(() => kept.letters.delete(placeOf(letter, letter.part)), faults.exhumesAtOnce)
      },
      commit: (checkpoint) => {
        if (!isOurs()) throw fenced(pipeline, 'commit', { ...(kept.lease as Lease), sinceMs: 0 })
        for (const work of pending) work()
        pending = []
        kept.checkpoint = merged(kept.checkpoint, checkpoint, faults)
        renew(kept)
      },
      renewLease: () => {
        if (faults.renewsNothing !== true) renew(kept)
      },
      close: async () => {
        pending = []
        if (kept.lease !== undefined && (isOurs() || faults.releasesLeaseOfOthers === true)) {
          kept.lease = { ...kept.lease, pid: 0 }
        }
      },
    }
  }

  #write(rows: Batch<SeenRow>, later: (work: () => void) => void): DeadLetter[] {
    const { faults, isKeyed } = this.#key
    const values = rows.values()
    const letters = values.flatMap(({ number }, at) => (number < 0 ? [deadLetterAt(rows, at, 'sink', 'no')] : []))
    if (letters.length > 0 && faults.dropsBatches === true) return letters
    for (const row of values) {
      if (row.number < 0) continue
      later(() => {
        const at = isKeyed ? this.rows.findIndex(({ number }) => number === row.number) : -1
        if (at < 0) this.rows.push(row)
        else if (faults.firstRowWins !== true) this.rows[at] = row
      })
    }
    return letters
  }

  #inspect(pipeline: string): SinkInspector {
    const { faults } = this.#key
    const kept = this.#keptOf(pipeline)
    const isHeld = (): boolean => kept.lease !== undefined && kept.lease.pid !== 0
    return {
      async checkpoint() {
        if (kept.checkpoint === undefined) return undefined
        const { states, ...rest } = kept.checkpoint
        const sizes = new Map([...states].map(([part, { length }]) => [part, length]))
        return { ...rest, states: sizes, committed: 'by memory', holder: isHeld() ? 'somebody' : undefined }
      },
      async deadLetters({ limit, after }) {
        const sorted = [...kept.letters.values()].sort(byPlace)
        const least = faults.pagesOverlap === true ? 0 : 1
        const from = after === undefined ? 0 : sorted.findIndex((letter) => byPlace(letter, after) >= least)
        return from < 0 ? [] : sorted.slice(from, from + limit)
      },
      reset: async ({ deadLetters }) => {
        if (isHeld() && faults.resetsWhileHeld !== true)
          throw pipelineHeld(pipeline, { ...(kept.lease as Lease), sinceMs: 0 })
        for (const one of faults.resetsAll === true ? this.#kept.values() : [kept]) {
          one.checkpoint = undefined
          if (deadLetters) one.letters.clear()
        }
      },
      close: async () => {},
    }
  }
}

function renew(kept: Kept): void {
  if (kept.lease !== undefined) kept.lease = { ...kept.lease, renewedMs: performance.now() }
}

function byPlace(a: StoredDeadLetter, b: StoredDeadLetter): number {
  const byFile = order(a.origin.source, b.origin.source)
  return byFile || a.origin.offset - b.origin.offset || order(a.step, b.step) || a.part - b.part
}

function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}

function placeOf({ origin, step }: DeadLetter, part: number): string {
  return JSON.stringify([origin.source, origin.offset, step, part])
}

function merged(before: Checkpoint | undefined, now: Checkpoint, faults: Faults): Checkpoint {
  const isForgotten = faults.forgetsPositions === true
  const positions = new Map([...(isForgotten ? [] : (before?.positions ?? [])), ...now.positions])
  const states = new Map([...(before?.states ?? []), ...now.states])
  for (const [part, state] of states) if (state.length === 0 && faults.keepsEmptyStates !== true) states.delete(part)
  const totals = faults.losesTotals === true && before !== undefined ? before.totals : now.totals
  return { epoch: now.epoch, positions, states, totals }
}
