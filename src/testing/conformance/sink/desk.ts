// Drives a sink as a pipeline does, and keeps its own accounts of what must be there.

import { deepEqual, equal, ok } from 'node:assert/strict'
import { isSluiceError } from '../../../base/errors.ts'
import { batchOfTracked } from '../../../connect/batch.ts'
import { type DeadLetter, deadLetter, type Origin, type Tracked, tracked } from '../../../connect/origin.ts'
import type {
  Checkpoint,
  Sink,
  SinkInspector,
  SinkOptions,
  SinkWriter,
  StoredDeadLetter,
} from '../../../connect/sink.ts'
import type { Position } from '../../../connect/source.ts'
import { NO_TOTALS } from '../../../connect/totals.ts'
import { oneAtATime } from '../../one-at-a-time.ts'
import type { SeenRow, SinkPlace, SinkSubject } from './subject.ts'

/** A row of this number with this text. */
export type Numbered = readonly [number: number, text: string]

/** What an epoch changes. */
export interface Moves {
  readonly positions?: Readonly<Record<string, Position>>
  readonly states?: Readonly<Record<string, Uint8Array>>
}

/** Over all desks: no two records have the same place. */
let places = 0

/** One instance of a pipeline, its own writer open or not. */
export class SinkDesk<Row> {
  readonly #subject: SinkSubject<Row>
  readonly #sink: Sink<Row>
  readonly #place: SinkPlace<Row>
  readonly #opening: SinkOptions
  /** Undefined while it is not open. */
  #writer: SinkWriter<Row> | undefined
  /** The epoch of the last commit. */
  #epoch = 0
  /** Rows and dead letters since then. */
  #written: Numbered[] = []
  #buried: DeadLetter[] = []
  /** All that was committed. */
  readonly #rows: Numbered[] = []
  readonly #letters: DeadLetter[] = []
  readonly #positions = new Map<string, Position>()
  readonly #states = new Map<string, Uint8Array>()

  constructor(subject: SinkSubject<Row>, place: SinkPlace<Row>, opening: Partial<SinkOptions> = {}) {
    this.#subject = subject
    this.#place = place
    this.#sink = oneAtATime(place.sink)
    this.#opening = { pipeline: 'conformance', ...opening }
  }

  get pipeline(): string {
    return this.#opening.pipeline
  }

  get epoch(): number {
    return this.#epoch
  }

  /** Opens it, or returns the open writer. */
  async writer(): Promise<SinkWriter<Row>> {
    this.#writer ??= await this.#sink.open(this.#opening)
    return this.#writer
  }

  /** Whether it was rejected, because another instance holds the pipeline. */
  async isRefused(): Promise<boolean> {
    try {
      await this.writer()
      return false
    } catch (error) {
      ok(isSluiceError(error, 'PIPELINE_HELD'), `a pipeline that is held is rejected with PIPELINE_HELD: ${error}`)
      return true
    }
  }

  event(number: number, text = ''): Tracked<Row> {
    return tracked(this.#subject.row(number, text), newOrigin(String(number)))
  }

  /** Writes rows, none of which is rejected. */
  async write(...rows: (number | Numbered)[]): Promise<void> {
    const numbered = rows.map((row): Numbered => (typeof row === 'number' ? [row, ''] : row))
    const writer = await this.writer()
    deepEqual(
      await writer.write(batchOfTracked(numbered.map(([number, text]) => this.event(number, text)))),
      [],
      'no row is rejected',
    )
    this.#written.push(...numbered)
  }

  async writeDeadLetters(...letters: DeadLetter[]): Promise<void> {
    await (await this.writer()).writeDeadLetters(letters)
    this.#buried.push(...letters)
  }

  async deleteDeadLetters(letters: readonly StoredDeadLetter[]): Promise<void> {
    await (await this.writer()).deleteDeadLetters?.(letters)
  }

  /** Commits, without waiting for the branches. */
  async book({ positions = {}, states = {} }: Moves = {}): Promise<void> {
    const checkpoint = this.#checkpoint(new Map(Object.entries(positions)), new Map(Object.entries(states)))
    await (await this.writer()).commit(checkpoint)
    this.#epoch = checkpoint.epoch
    for (const [split, position] of checkpoint.positions) this.#positions.set(split, position)
    for (const [part, state] of checkpoint.states) {
      if (state.length === 0) this.#states.delete(part)
      else this.#states.set(part, state)
    }
    this.#rows.push(...this.#written.splice(0))
    this.#letters.push(...this.#buried.splice(0))
  }

  async commit(moves?: Moves): Promise<void> {
    await this.book(moves)
    await this.settle()
  }

  async settle(): Promise<void> {
    await (await this.writer()).flush?.()
  }

  /** Closes it: what was not committed is dropped. */
  async close(): Promise<void> {
    this.#written = []
    this.#buried = []
    const writer = this.#writer
    this.#writer = undefined
    await writer?.close()
  }

  /** Abandons the writer without closing it, as a lost process does; returns it. */
  lose(): SinkWriter<Row> | undefined {
    const writer = this.#writer
    this.#writer = undefined
    this.#written = []
    this.#buried = []
    return writer
  }

  /** Opens it again, and compares the restored checkpoint. */
  async reopen(): Promise<void> {
    await this.close()
    await this.checkRestored()
  }

  async checkRestored(): Promise<void> {
    const { checkpoint } = await this.writer()
    if (this.#epoch === 0) return equal(checkpoint, undefined, 'before the first commit there is no checkpoint')
    ok(checkpoint !== undefined, `the checkpoint of epoch ${this.#epoch} is there`)
    equal(checkpoint.epoch, this.#epoch)
    deepEqual(checkpoint.totals, this.#totals(0, 0))
    deepEqual(sorted(checkpoint.positions), sorted(this.#positions))
    deepEqual(sorted(plainStates(checkpoint.states)), sorted(plainStates(this.#states)))
  }

  /** The visible rows are those that were committed. */
  async checkRows(also: readonly Numbered[] = []): Promise<void> {
    deepEqual(await this.seen(), expectedRows([...this.#rows, ...also], this.#subject.isKeyed === true))
  }

  async seen(): Promise<readonly SeenRow[]> {
    return [...(await this.#place.visible())].map(({ number, text }) => ({ number, text })).sort(byNumber)
  }

  /** The stored dead letters are those that were committed, as far as the sink can be inspected. */
  async checkLetters(): Promise<void> {
    const offsets = await this.keptOffsets()
    if (offsets !== undefined) deepEqual(offsets, this.#letters.map(({ origin }) => origin.offset).sort(byValue))
  }

  async keptOffsets(): Promise<readonly number[] | undefined> {
    if (this.#sink.inspect === undefined) return undefined
    return (await this.letters()).map(({ origin }) => origin.offset).sort(byValue)
  }

  async letters(): Promise<readonly StoredDeadLetter[]> {
    return await this.inspect((inspector) => inspector.deadLetters({ limit: 10_000 }))
  }

  /** As `inspect`; undefined if the sink cannot be inspected. */
  async inspects<T>(look: (inspector: SinkInspector) => Promise<T>): Promise<T | undefined> {
    return this.#sink.inspect === undefined ? undefined : await this.inspect(look)
  }

  async inspect<T>(look: (inspector: SinkInspector) => Promise<T>): Promise<T> {
    const inspector = await this.#sink.inspect?.(this.pipeline)
    ok(inspector !== undefined, 'the sink can be inspected')
    try {
      return await look(inspector)
    } finally {
      await inspector.close()
    }
  }

  /** Continues with what another instance of the pipeline has committed. */
  inherit(other: SinkDesk<Row>): void {
    this.#epoch = other.#epoch
    this.#rows.push(...other.#rows)
    this.#letters.push(...other.#letters)
    for (const [split, position] of other.#positions) this.#positions.set(split, position)
    for (const [part, state] of other.#states) this.#states.set(part, state)
  }

  /** Everything was deleted but rows, and by default dead letters. */
  wasReset({ deadLetters }: { readonly deadLetters: boolean }): void {
    this.#epoch = 0
    this.#positions.clear()
    this.#states.clear()
    if (deadLetters) this.#letters.length = 0
  }

  /** What the accounts say is stored of the pipeline. */
  get kept(): Checkpoint {
    const { epoch } = this
    return { epoch, positions: this.#positions, states: this.#states, totals: this.#totals(0, 0) }
  }

  #checkpoint(positions: ReadonlyMap<string, Position>, states: ReadonlyMap<string, Uint8Array>): Checkpoint {
    const totals = this.#totals(this.#written.length, this.#buried.length)
    return { epoch: this.#epoch + 1, positions, states, totals }
  }

  #totals(moreLoaded: number, moreDead: number): Checkpoint['totals'] {
    const [loaded, dead] = [this.#rows.length + moreLoaded, this.#letters.length + moreDead]
    return { ...NO_TOTALS, read: loaded + dead, loaded, dead }
  }
}

/** A dead letter of a record of its own. */
export function newLetter(
  raw = 'raw',
  { source = 'conformance', step = 'map', reason = 'no' }: { source?: string; step?: string; reason?: string } = {},
): DeadLetter {
  return deadLetter({ ...newOrigin(raw), source }, step, reason)
}

export function newOrigin(raw: string): Origin {
  places += 1
  return { source: 'conformance', line: places, offset: places * 10, raw }
}

function expectedRows(rows: readonly Numbered[], isKeyed: boolean): readonly SeenRow[] {
  const seen = rows.map(([number, text]) => ({ number, text }))
  const last = new Map(seen.map((row) => [row.number, row]))
  return (isKeyed ? [...last.values()] : seen).sort(byNumber)
}

function byNumber(a: SeenRow, b: SeenRow): number {
  return a.number - b.number || (a.text < b.text ? -1 : a.text > b.text ? 1 : 0)
}

function byValue(a: number, b: number): number {
  return a - b
}

function sorted<T>(map: ReadonlyMap<string, T>): (readonly [string, T])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** As bytes of one class, whatever a store returns. */
function plainStates(states: ReadonlyMap<string, Uint8Array>): Map<string, string> {
  return new Map(
    [...states].map(([part, state]: readonly [string, Uint8Array]): [string, string] => [
      part,
      Buffer.from(state).toString('base64'),
    ]),
  )
}
