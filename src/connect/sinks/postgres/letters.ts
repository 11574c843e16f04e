// The table of dead letters: what could not be loaded, kept with its raw form, its place and the reason.

import { type DeadLetter, type Traced, traced } from '../../origin.ts'
import type { KeptLetter } from '../../sink.ts'
import { quoteName } from '../../sql/name.ts'
import { storable } from '../../sql/storable.ts'
import { RowWriter, type RowWriterOptions } from './rows.ts'
import type { Shape } from './shape.ts'
import { type Table, unfit } from './table.ts'

/** Letters that one statement takes out. */
const AT_ONCE = 1000

export interface Burial {
  readonly pipeline: string
  readonly epoch: number
  /** When, in epoch milliseconds. */
  readonly atMs: number
}

/**
 * Writes dead letters inside the transaction that its caller has begun. A replay meets the same key and overwrites:
 * a letter is there once, however often its record was read.
 */
export class LetterTable {
  readonly #options: Omit<RowWriterOptions, 'shape' | 'stage'>
  readonly #name: string
  readonly #rows: RowWriter

  constructor(options: Omit<RowWriterOptions, 'shape' | 'stage'>, name: string) {
    this.#options = options
    this.#name = name
    this.#rows = new RowWriter({ ...options, shape: shapeOf(name), stage: 'sluice_letters' })
  }

  /** Makes the table where it is missing. */
  ensure(): Promise<Table> {
    return this.#rows.ensure()
  }

  /** To be called once in every transaction, before its first letter. */
  enter(): Promise<void> {
    return this.#rows.enter()
  }

  async bury(letters: readonly DeadLetter[], burial: Burial): Promise<void> {
    const [refused] = await this.#rows.write(letters.map((letter) => this.#rowOf(letter, burial)))
    if (refused !== undefined)
      throw unfit(this.#options.place, this.#name, `a dead letter is refused: ${refused.reason}`)
  }

  /** Takes letters out again. */
  async exhume(letters: readonly KeptLetter[], pipeline: string): Promise<void> {
    const { client, place } = this.#options
    const sql = `delete from ${quoteName(place.schema)}.${quoteName(this.#name)} where pipeline = $1 and
      (file, "offset", step, part) in (select * from unnest($2::text[], $3::bigint[], $4::text[], $5::bigint[]))`
    for (let from = 0; from < letters.length; from += AT_ONCE) {
      const some = letters.slice(from, from + AT_ONCE)
      await client.query(sql, [
        pipeline,
        some.map(({ origin }) => storable(origin.source)),
        some.map(({ origin }) => origin.offset),
        some.map(({ step }) => storable(step)),
        some.map(({ part }) => part),
      ])
    }
  }

  #rowOf(letter: DeadLetter, { pipeline, epoch, atMs: time }: Burial): Traced<unknown> {
    const { origin, step } = letter
    const { source, line, offset, part = 0 } = origin
    const file = storable(source)
    const reason = storable(letter.reason)
    const raw = storable(origin.raw)
    const row = {
      pipeline,
      file,
      line,
      offset,
      step: storable(step),
      part,
      reason,
      raw,
      epoch,
      time,
    }
    return traced(row, origin)
  }
}

function shapeOf(table: string): Shape {
  return {
    table,
    columns: [
      { name: 'pipeline', type: 'text' },
      { name: 'file', type: 'text' },
      { name: 'line', type: 'integer' },
      { name: 'offset', type: 'integer' },
      { name: 'step', type: 'text' },
      { name: 'part', type: 'integer' },
      { name: 'reason', type: 'text' },
      { name: 'raw', type: 'text' },
      { name: 'epoch', type: 'integer' },
      { name: 'time', type: 'time' },
    ],
    key: ['pipeline', 'file', 'offset', 'step', 'part'],
    isInferred: false,
  }
}
