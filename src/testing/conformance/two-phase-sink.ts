// What every sink without transactions must hold, as tests: run them for one of your own.

import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkKeys } from '../../base/check.ts'
import { batchOfTracked } from '../../connect/batch.ts'
import { type Tracked, tracked } from '../../connect/origin.ts'
import type { TwoPhaseSink, TwoPhaseWriter } from '../../connect/sink.ts'
import type { Json } from '../../connect/source.ts'
import { below, seededRandom } from '../random.ts'
import { Calls } from './calls.ts'

/** A two-phase sink under test. */
export interface TwoPhaseSinkSubject<Row> {
  readonly name: string
  /** A sink that has never been opened, and a way to see what it wrote. */
  readonly make: () => TwoPhaseSinkPlace<Row> | Promise<TwoPhaseSinkPlace<Row>>
  /** A row that differs from those of other numbers. */
  readonly row: (number: number) => Row
  /** A row that the sink rejects, if there is any. */
  readonly refused?: Row
  /** Scripts to run, each with a seed of its own: 30 by default. */
  readonly scripts?: number
}

export interface TwoPhaseSinkPlace<Row> {
  readonly sink: TwoPhaseSink<Row>
  /** The numbers of all visible rows, one for each time a row is seen, in any order. */
  readonly visible: () => readonly number[] | Promise<readonly number[]>
  /** Called when a test is done. */
  readonly close?: () => void | Promise<void>
}

/**
 * Checks that a two-phase sink makes visible what was committed and, as far as its guarantee says so, nothing else: in
 * a run without faults, and in random orders of writing, preparing, crashing and publishing.
 *
 * @example
 * twoPhaseSinkConformance({
 *   name: 'a list',
 *   row: (number) => number,
 *   make: () => {
 *     const seen: number[] = []
 *     return { sink: callbackSink('list', (rows: readonly number[]) => void seen.push(...rows)), visible: () => seen }
 *   },
 * })
 */
export function twoPhaseSinkConformance<Row>(subject: TwoPhaseSinkSubject<Row>): void {
  checkKeys('twoPhaseSinkConformance', subject, ['name', 'make', 'row', 'refused', 'scripts'])
  describe(`${subject.name} as a two-phase sink`, () => {
    const on = async (title: string, test: (desk: Desk<Row>) => Promise<void>): Promise<void> => {
      const [place, calls] = [await subject.make(), new Calls()]
      const desk = new Desk(subject, { sink: calls.of('sink', place.sink), visible: () => place.visible() })
      try {
        await calls.under(title, async () => await test(desk))
      } finally {
        await desk.crash()
        await place.close?.()
      }
    }
    const rule = (title: string, test: (desk: Desk<Row>) => Promise<void>): void => {
      it(title, async () => await on(title, test))
    }

    rule('shows what was prepared and published', async (desk) => {
      await desk.write(1, 2)
      await desk.commit()
      await desk.write(3)
      await desk.commit()
      deepEqual(await desk.visible(), [1, 2, 3])
    })

    rule('takes epochs without rows', async (desk) => {
      await desk.commit()
      await desk.write(1)
      await desk.commit()
      await desk.commit()
      await desk.reopen()
      await desk.write(2)
      await desk.commit()
      deepEqual(await desk.visible(), [1, 2])
    })

    rule('changes nothing when it publishes again', async (desk) => {
      await desk.write(1, 2)
      await desk.commit()
      await desk.finish()
      await desk.reopen()
      await desk.reopen()
      deepEqual(await desk.visible(), [1, 2])
    })

    rule('publishes what was prepared and committed before it was opened', async (desk) => {
      await desk.write(1, 2)
      await desk.prepare()
      desk.book()
      await desk.reopen()
      deepEqual(await desk.visible(), [1, 2])
      await desk.write(3)
      await desk.commit()
      deepEqual(await desk.visible(), [1, 2, 3])
    })

    rule('shows nothing before it is published, if it promises exactly once', async (desk) => {
      if (!desk.isExact) return
      await desk.write(1, 2)
      deepEqual(await desk.visible(), [])
      await desk.prepare()
      deepEqual(await desk.visible(), [])
    })

    rule('undoes what was written or prepared and not committed, if it promises exactly once', async (desk) => {
      if (!desk.isExact) return
      await desk.write(1)
      await desk.commit()
      await desk.write(2)
      await desk.reopen()
      await desk.write(3)
      await desk.prepare()
      await desk.reopen()
      await desk.write(4)
      await desk.commit()
      deepEqual(await desk.visible(), [1, 4])
    })

    rule('returns only the rejected rows', async (desk) => {
      if (subject.refused === undefined) return
      const rows = [desk.event(1), tracked(subject.refused, originOf(2)), desk.event(3)]
      const letters = await desk.writeEvents(rows)
      deepEqual(
        letters.map(({ origin }) => origin.offset),
        [2],
      )
      ok(
        letters.every(({ reason, step, kind }) => reason !== '' && step !== '' && kind === 'dead'),
        'a dead letter has a reason',
      )
      await desk.commit()
      deepEqual(await desk.visible(), [1, 3])
    })

    rule('takes nothing more once it is aborted', async (desk) => {
      const stop = new AbortController()
      await desk.reopen(stop.signal)
      await desk.write(1)
      await desk.commit()
      const reason = new Error('stopped')
      stop.abort(reason)
      await rejects(async () => void (await desk.write(2)), reason, 'write rejects with the reason of its signal')
      await desk.reopen()
      deepEqual(await desk.visible(), [1])
    })

    rule('closes at any time, and more than once', async (desk) => {
      await (await desk.writer()).close()
      await (await desk.writer()).close()
      await desk.reopen()
      await desk.write(1)
      await desk.prepare()
      await (await desk.writer()).close()
    })

    it('keeps to it in every order of writing, committing, crashing and opening again', async () => {
      for (let seed = 1; seed <= (subject.scripts ?? 30); seed += 1) {
        await on(`seed ${seed}`, (desk) => script(desk, seed))
      }
    })
  })
}

async function script<Row>(desk: Desk<Row>, seed: number): Promise<void> {
  const random = seededRandom(seed)
  const says = (what: string) => `seed ${seed}: ${what}`
  let next = 0
  for (let steps = 0; steps < 25; steps += 1) {
    const kind = below(10, random)
    if (kind < 4) await desk.write(...Array.from({ length: 1 + below(5, random) }, () => (next += 1)))
    else if (kind < 6) await desk.commit()
    else if (kind === 6) await desk.prepareAndLose()
    else if (kind === 7) await desk.prepareAndBook()
    else if (kind === 8) await desk.crash()
    else await desk.reopen()
  }
  await desk.reopen()
  const seen = await desk.visible()
  const due = desk.committed
  if (desk.isExact) return deepEqual(seen, due, says('what is seen is what was committed'))
  const missing = due.filter((number) => !seen.includes(number))
  deepEqual(missing, [], says('what was committed is seen'))
  if (desk.guarantee === 'once-per-key') equal(new Set(seen).size, seen.length, says('no key is seen twice'))
}

/** Drives a sink as the keeper of its checkpoints does. */
class Desk<Row> {
  readonly #subject: TwoPhaseSinkSubject<Row>
  readonly #place: TwoPhaseSinkPlace<Row>
  /** Undefined while nobody has it open. */
  #writer: TwoPhaseWriter<Row> | undefined
  /** As of the last commit. */
  #note: Json | undefined
  #epoch = 0
  /** Prepared and not committed. */
  #prepared: Json | undefined
  /** Rows since the last commit. */
  #written: number[] = []
  readonly #committed: number[] = []

  constructor(subject: TwoPhaseSinkSubject<Row>, place: TwoPhaseSinkPlace<Row>) {
    this.#subject = subject
    this.#place = place
  }

  get guarantee(): string {
    return this.#place.sink.guarantee
  }

  get isExact(): boolean {
    return this.guarantee === 'exactly-once'
  }

  /** Numbers of the rows that were committed, sorted. */
  get committed(): readonly number[] {
    return [...this.#committed].sort((a, b) => a - b)
  }

  async visible(): Promise<readonly number[]> {
    return [...(await this.#place.visible())].sort((a, b) => a - b)
  }

  async writer(signal?: AbortSignal): Promise<TwoPhaseWriter<Row>> {
    if (this.#writer !== undefined) return this.#writer
    this.#writer = await this.#place.sink.open({
      pipeline: 'conformance',
      note: this.#note,
      epoch: this.#epoch,
      ...(signal === undefined ? {} : { signal }),
    })
    if (this.#note !== undefined) await this.#writer.publish(this.#note)
    return this.#writer
  }

  event(number: number): Tracked<Row> {
    return tracked(this.#subject.row(number), originOf(number))
  }

  async write(...numbers: number[]): Promise<void> {
    deepEqual(await this.writeEvents(numbers.map((number) => this.event(number))), [])
    this.#written.push(...numbers)
  }

  async writeEvents(events: readonly Tracked<Row>[]): Promise<Awaited<ReturnType<TwoPhaseWriter<Row>['write']>>> {
    return await (await this.writer()).write(batchOfTracked(events))
  }

  async prepare(): Promise<void> {
    const note = await (await this.writer()).prepare(this.#epoch + 1)
    // As a store gives it back.
    this.#prepared = JSON.parse(JSON.stringify(note))
  }

  /** The store has committed what was prepared. */
  book(): void {
    this.#note = this.#prepared
    this.#epoch += 1
    this.#committed.push(...this.#written)
    this.#written = []
  }

  async finish(): Promise<void> {
    await (await this.writer()).publish(this.#note as Json)
  }

  async commit(): Promise<void> {
    await this.prepare()
    this.book()
    await this.finish()
  }

  async prepareAndLose(): Promise<void> {
    await this.prepare()
    await this.crash()
  }

  async prepareAndBook(): Promise<void> {
    await this.prepare()
    this.book()
    await this.crash()
  }

  /** Nobody has it open any more; what was not committed must be undone by the next to open it. */
  async crash(): Promise<void> {
    await this.#writer?.close()
    this.#writer = undefined
    this.#written = []
  }

  async reopen(signal?: AbortSignal): Promise<void> {
    await this.crash()
    await this.writer(signal)
  }
}

function originOf(number: number): Tracked<unknown>['origin'] {
  return { source: 'conformance', line: 0, offset: number, raw: String(number) }
}
