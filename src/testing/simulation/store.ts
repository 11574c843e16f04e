// A database in memory: transactions, a lease with a number, lost connections and lost answers.

import { SluiceError } from '../../base/errors.ts'
import { deadLetterAt } from '../../connect/batch.ts'
import type { DeadLetter, Origin } from '../../connect/origin.ts'
import type { Checkpoint, Sink, SinkWriter } from '../../connect/sink.ts'
import { NO_TOTALS, totalsAddUp } from '../../connect/totals.ts'
import { mergedCheckpoint } from '../merged-checkpoint.ts'
import { oneAtATime } from '../one-at-a-time.ts'
import type { World } from './world.ts'

export type Row = Readonly<Record<string, unknown>>

/** The probability of each fault, from 0 to 1. */
export interface Faults {
  readonly lost: number
  /** A commit succeeds, but its answer is lost. */
  readonly lostAnswer: number
  readonly crash: number
}

export const NO_FAULTS: Faults = { lost: 0, lostAnswer: 0, crash: 0 }

/** One process: dead ones do nothing any more, whatever answers them. */
export interface Life {
  isDead: boolean
  /** Set while it is suspended: its accesses wait. */
  paused: PromiseWithResolvers<void> | undefined
}

const LOST = new SluiceError('SINK_LOST', 'Lost the connection to memory', { sink: 'memory', reason: 'cut' })

export class Store {
  readonly rows: Map<string, Row> = new Map()
  readonly letters: Map<string, string> = new Map()
  checkpoint: Checkpoint | undefined
  #token = 0
  #holder: Life | undefined
  faults: Faults = NO_FAULTS

  /**
   * @param refuses - rows that the table rejects
   */
  sink(world: World, life: Life, key: readonly string[] | undefined, crash: () => void): Sink<Row> {
    const touch = async <T>(work: () => T): Promise<T> => {
      if (life.paused !== undefined) await life.paused.promise
      if (life.isDead) return await new Promise<T>(() => {})
      if (world.chance(this.faults.crash)) {
        crash()
        return await new Promise<T>(() => {})
      }
      if (world.chance(this.faults.lost)) throw LOST
      return await world.touch(work)
    }
    const open = async (): Promise<SinkWriter<Row>> => {
      const token = await touch(() => {
        // A holder that is alive but suspended has not renewed its lease for long enough.
        const isHeld =
          this.#holder !== undefined &&
          this.#holder !== life &&
          !this.#holder.isDead &&
          this.#holder.paused === undefined
        if (isHeld) throw new SluiceError('PIPELINE_HELD', 'held', { pipeline: 'simulated', by: 'another' })
        this.#holder = life
        this.#token += 1
        return this.#token
      })
      return this.#writer(token, key, touch, world)
    }
    return oneAtATime({ kind: 'memory', title: 'memory', deadLetters: 'memory', guarantee: 'exactly-once', open })
  }

  #writer(
    token: number,
    key: readonly string[] | undefined,
    touch: <T>(work: () => T) => Promise<T>,
    world: World,
  ): SinkWriter<Row> {
    let rows: [string, Row][] = []
    let letters: [string, string][] = []
    return {
      checkpoint: this.checkpoint,
      write: (batch) =>
        touch(() => {
          const refused: DeadLetter[] = []
          for (const [at, row] of batch.values().entries()) {
            const { source, offset } = batch.origin(at) as Origin
            if (row.n === REFUSED) refused.push(deadLetterAt(batch, at, 'memory', `${REFUSED} is rejected`))
            else rows.push([key === undefined ? `${source}@${offset}` : key.map((name) => row[name]).join(), row])
          }
          return refused
        }),
      writeDeadLetters: (more) =>
        touch(() => {
          for (const { origin, step, reason } of more) {
            letters.push([`${origin.source}@${origin.offset} ${step}`, reason])
          }
        }),
      commit: async (checkpoint) => {
        await touch(() => {
          if (token !== this.#token) {
            throw new SluiceError('PIPELINE_HELD', 'fenced off', { pipeline: 'simulated', by: 'another' })
          }
          const epoch = this.checkpoint?.epoch ?? 0
          if (checkpoint.epoch !== epoch + 1) throw new Error(`epoch ${checkpoint.epoch} is committed after ${epoch}`)
          if (!totalsAddUp(checkpoint.totals)) throw new Error('totals do not add up')
          this.#movesForward(checkpoint)
          for (const [id, row] of rows) this.rows.set(id, row)
          for (const [id, reason] of letters) this.letters.set(id, reason)
          this.checkpoint = mergedCheckpoint(this.checkpoint, checkpoint)
          rows = []
          letters = []
        })
        if (world.chance(this.faults.lostAnswer)) throw LOST
      },
      close: async () => {},
    }
  }

  #movesForward({ positions, totals }: Checkpoint): void {
    for (const [split, position] of positions) {
      const before = this.checkpoint?.positions.get(split)
      if (typeof before === 'number' && Number(position) < before) throw new Error(`${split} goes back`)
    }
    if (totals.read < (this.checkpoint?.totals ?? NO_TOTALS).read)
      throw new Error('fewer records were read than before')
  }
}

/** A row that the table rejects. */
export const REFUSED = 39
