// The table of dead letters: what could not be loaded, kept with its raw form, its place and the reason.

import { systemClock } from '../../../base/clock.ts'
import type { Columns } from '../../column.ts'
import type { DeadLetter } from '../../origin.ts'
import type { KeptLetter } from '../../sink.ts'
import type { Shape } from '../sql/shape.ts'
import type { SqlDialect } from './dialect.ts'
import { hasTable, parameters, pieces } from './tables.ts'
import { all, run, type SqlRow, type SqlValue, type Work } from './work.ts'

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
const NAMES = Object.keys(COLUMNS)

/** Letters of one statement: so many at most, or so many characters. */
const AT_ONCE = 500
const MAX_CHARACTERS = 1024 * 1024

/**
 * Writes dead letters inside the transaction that its caller has begun. A replay meets the same key and overwrites:
 * a letter is there once, however often its record was read.
 */
export class LetterTable {
  readonly #dialect: SqlDialect
  readonly #name: string
  readonly #pipeline: string

  constructor(dialect: SqlDialect, name: string, pipeline: string) {
    this.#dialect = dialect
    this.#name = name
    this.#pipeline = pipeline
  }

  /** Makes the table where it is missing. */
  *ensure(): Work<void> {
    const columns = Object.entries(COLUMNS).map(([name, type]) => ({ name, type }))
    const shape: Shape = { table: this.#name, columns, key: KEY, isInferred: false }
    yield* this.#dialect.makeTable(shape)
  }

  /** @param epoch - that they are committed with */
  *bury(letters: readonly DeadLetter[], epoch: number): Work<void> {
    // Of those with the same place the last one counts: two would be in each other's way in one statement.
    const rows = new Map<string, readonly SqlValue[]>()
    for (const letter of letters) {
      const row = this.#rowOf(letter, epoch)
      const place = JSON.stringify(row.slice(1, 6).toSpliced(1, 1))
      rows.delete(place)
      rows.set(place, row)
    }
    for (const some of inStatements([...rows.values()])) yield* this.#write(some)
  }

  /** Takes letters out again. */
  *exhume(letters: readonly KeptLetter[]): Work<void> {
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

  /** Letters by place, behind `after`. */
  *list({ limit, after }: { readonly limit: number; readonly after?: KeptLetter }): Work<readonly KeptLetter[]> {
    if (!(yield* hasTable(this.#dialect, this.#name))) return []
    const { parameter, letterTime } = this.#dialect
    const from = after === undefined ? [] : [after.origin.source, after.origin.offset, after.step, after.part]
    const behind = after === undefined ? '' : `and (${PLACE}) > (${parameters(this.#dialect, 4, 2)})`
    const sql = `select file, line, "offset", step, part, reason, raw, epoch, ${letterTime.read('"time"')} as ms
      from ${this.#table} where pipeline = ${parameter(1)} ${behind} order by ${PLACE} limit ${parameter(from.length + 2)}`
    return (yield* all(sql, [this.#pipeline, ...from, limit])).map(letterOf)
  }

  get #table(): string {
    return this.#dialect.table(this.#name)
  }

  *#write(letters: readonly (readonly SqlValue[])[]): Work<void> {
    const { fromJson, letterTime, parameter, upsert } = this.#dialect
    const into = { table: this.#table, columns: NAMES, key: KEY }
    const width = NAMES.length
    if (fromJson !== undefined) {
      const texts = NAMES.slice(1).map((_, at) => `r[${at + 1}]`)
      const rows = `select ${texts.join(', ')}, ${letterTime.write(`r[${width}]`)} from ${fromJson(parameter(1))}`
      yield* run(upsert({ ...into, rows }), [JSON.stringify(letters)])
      return
    }
    const rows = letters.map((_, at) => {
      const time = letterTime.write(parameter((at + 1) * width))
      return `(${parameters(this.#dialect, width - 1, at * width + 1)}, ${time})`
    })
    yield* run(upsert({ ...into, rows }), letters.flat())
  }

  /** The values of a letter, in the order of the columns. */
  #rowOf({ origin, step, reason }: DeadLetter, epoch: number): readonly SqlValue[] {
    const { storable } = this.#dialect
    const { source, line, offset, raw, part = 0 } = origin
    const place = [this.#pipeline, storable(source), line, offset, storable(step), part]
    return [...place, storable(reason), storable(raw), epoch, systemClock.wallMs()]
  }
}

function* inStatements(rows: readonly (readonly SqlValue[])[]): Generator<readonly (readonly SqlValue[])[]> {
  let some: (readonly SqlValue[])[] = []
  let characters = 0
  for (const row of rows) {
    some.push(row)
    characters += String(row[7]).length
    if (some.length < AT_ONCE && characters < MAX_CHARACTERS) continue
    yield some
    some = []
    characters = 0
  }
  if (some.length > 0) yield some
}

function letterOf({ file, line, offset, step, part, reason, raw, epoch, ms }: SqlRow): KeptLetter {
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
