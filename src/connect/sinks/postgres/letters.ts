// The table of dead letters: what could not be loaded, kept with its raw form, its place and the reason.

import { batchOf, originsOf } from '../../batch.ts'
import type { DeadLetter } from '../../origin.ts'
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
    const [refused] = await this.#rows.write(
      batchOf(
        letters.map((letter) => rowOf(letter, burial)),
        originsOf(letters),
      ),
    )
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
}

function rowOf({ origin, step, reason }: DeadLetter, { pipeline, epoch, atMs }: Burial): unknown {
  const { source, line, offset, raw, part = 0 } = origin
  return {
    pipeline,
    file: storable(source),
    line,
    offset,
    step: storable(step),
    part,
    reason: storable(reason),
    raw: storable(raw),
    epoch,
    time: atMs,
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
