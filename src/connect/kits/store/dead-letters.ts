// The table of dead letters: what could not be loaded, with its raw form, its origin and the reason.

import { systemClock } from '../../../base/clock.ts'
import { type Batch, batchOf, originsOf } from '../../batch.ts'
import type { Columns } from '../../column.ts'
import type { DeadLetter } from '../../origin.ts'
import type { StoredDeadLetter } from '../../sink.ts'
import type { Shape } from '../sql/shape.ts'
import type { SqlDialect } from './dialect.ts'
import { hasTable, parameters, pieces } from './tables.ts'
import { all, run, type SqlRow, type Work } from './work.ts'

const COLUMNS: Columns = {
  pipeline: 'text',
  file: 'text',
  line: 'integer',
  offset: 'integer',
  step: 'text',
  part: 'integer',
  reason: 'text',
  raw: 'text',
  epoch: 'integer',
  time: 'time',
}
const KEY = ['pipeline', 'file', 'offset', 'step', 'part']
const PLACE = 'file, "offset", step, part'

/** Dead letters deleted by one statement. */
const AT_ONCE = 500

/**
 * The dead letters of a pipeline. They are written like rows, in bulk: one of the same origin overwrites, so that a
 * dead letter exists once, however often its record was read.
 */
export class DeadLetterTable {
  readonly #dialect: SqlDialect
  readonly #name: string
  readonly #pipeline: string

  constructor(dialect: SqlDialect, name: string, pipeline: string) {
    this.#dialect = dialect
    this.#name = name
    this.#pipeline = pipeline
  }

  /** How rows of dead letters are written: any text that the table can hold is accepted. */
  get shape(): Shape {
    const columns = Object.keys(COLUMNS).map((name) => ({ name, type: undefined }))
    return { table: this.#name, columns, key: KEY, isInferred: true }
  }

  /** Creates the table if it is missing. */
  *ensure(): Work<void> {
    const columns = Object.entries(COLUMNS).map(([name, type]) => ({ name, type }))
    yield* this.#dialect.makeTable({ table: this.#name, columns, key: KEY, isInferred: false })
  }

  /**
   * @param epoch - the epoch that they are committed with
   */
  rowsOf(letters: readonly DeadLetter[], epoch: number): Batch {
    const { storable } = this.#dialect
    const time = systemClock.wallMs()
    const rows = letters.map(({ origin, step, reason }) => {
      const { source, line, offset, raw, part = 0 } = origin
      const place = { pipeline: this.#pipeline, file: storable(source), line, offset, step: storable(step), part }
      return { ...place, reason: storable(reason), raw: storable(raw), epoch, time }
    })
    return batchOf(rows, originsOf(letters))
  }

  /** Deletes dead letters. */
  *deleteDeadLetters(letters: readonly StoredDeadLetter[]): Work<void> {
    const { parameter, storable } = this.#dialect
    for (const some of pieces(letters, AT_ONCE)) {
      const places = some.map((_, at) => {
        const [file, offset, step, part] = [2, 3, 4, 5].map((number) => parameter(at * 4 + number))
        return `(cast(${file} as text), cast(${offset} as bigint), cast(${step} as text), cast(${part} as bigint))`
      })
      const sql = `delete from ${this.#table} where pipeline = ${parameter(1)} and (${PLACE}) in (values ${places.join(', ')})`
      const values = some.flatMap(({ origin, step, part }) => {
        return [storable(origin.source), origin.offset, storable(step), part]
      })
      yield* run(sql, [this.#pipeline, ...values])
    }
  }

  /** Dead letters by origin, after `after`. */
  *list({
    limit,
    after,
  }: {
    readonly limit: number
    readonly after?: StoredDeadLetter
  }): Work<readonly StoredDeadLetter[]> {
    if (!(yield* hasTable(this.#dialect, this.#name))) return []
    const { parameter, letterMillis } = this.#dialect
    const from = after === undefined ? [] : [after.origin.source, after.origin.offset, after.step, after.part]
    const behind = after === undefined ? '' : `and (${PLACE}) > (${parameters(this.#dialect, 4, 2)})`
    const sql = `select file, line, "offset", step, part, reason, raw, epoch, ${letterMillis('"time"')} as ms
      from ${this.#table} where pipeline = ${parameter(1)} ${behind} order by ${PLACE} limit ${parameter(from.length + 2)}`
    return (yield* all(sql, [this.#pipeline, ...from, limit])).map(letterOf)
  }

  get #table(): string {
    return this.#dialect.table(this.#name)
  }
}

function letterOf({ file, line, offset, step, part, reason, raw, epoch, ms }: SqlRow): StoredDeadLetter {
  return {
    kind: 'dead',
    origin: { source: String(file), line: Number(line), offset: Number(offset), raw: String(raw) },
    step: String(step),
    reason: String(reason),
    part: Number(part),
    epoch: Number(epoch),
    timeMs: Number(ms),
  }
}
