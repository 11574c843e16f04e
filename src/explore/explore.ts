// Looks at a source: rows, columns, rejected records, and a pipeline to start from.

import { systemClock } from '../base/clock.ts'
import { SluiceError } from '../base/errors.ts'
import type { ReadBatch } from '../connect/batch.ts'
import type { ColumnType } from '../connect/column.ts'
import { quotePath } from '../connect/kits/files/errors.ts'
import { redact } from '../observe/redact.ts'
import { type ColumnFound, ColumnProfile } from './column-profile.ts'
import { find } from './find.ts'
import type { Found, Looking } from './found.ts'
import { type Rejected, Rejections } from './rejections.ts'
import { type Sampled, sample } from './sample.ts'

/** A source as it was found. */
export interface Explored {
  readonly found: Found
  /** Records that were looked at: rows, and rejected ones. */
  readonly records: number
  readonly rows: number
  /** Whether that is all of them. */
  readonly isWhole: boolean
  /** How many records there are in all: exactly, or about as many; undefined if unknown. */
  readonly total: { readonly rows: number; readonly isExact: boolean } | undefined
  readonly columns: readonly ColumnFound[]
  /** How many columns there are beyond those. */
  readonly moreColumns: number
  readonly rejected: number
  readonly rejections: readonly Rejected[]
  readonly unread: Sampled['unread']
}

/** The most columns that are looked at, and that are counted beyond those. */
const MOST_COLUMNS = 300
const MOST_OTHERS = 10_000
/** How long counting may take, in milliseconds: databases know it, or about. */
const COUNT_MS = 1000
/** The name of what has no columns. */
export const VALUE = 'value'

/** How long finding out what a source is may take, and looking at it, in milliseconds. */
export interface ExploreTimes {
  readonly findMs: number
  readonly sampleMs: number
}

/**
 * Looks at a source for a limited time, in bounded memory.
 *
 * @param folder - for copies; it is left to the caller
 * @throws as {@link find}, and what the source throws if nothing of it can be read
 */
export async function explore(given: string, folder: string, { findMs, sampleMs }: ExploreTimes): Promise<Explored> {
  // A read that hangs is given up a little later.
  const looking = (ms: number): Looking => ({
    untilMs: systemClock.nowMs() + ms,
    signal: AbortSignal.timeout(ms + 500),
    folder,
  })
  const found = await inTime(given, looking(findMs), async (finding) => await find(given, finding))
  const rejections = new Rejections()
  const { sampled, table } = await inTime(given, looking(sampleMs), async ({ untilMs, signal }) => {
    const table = new Table(found.source.columns ?? (await declared(found, signal)))
    const onRead = ({ events, rejected }: ReadBatch<unknown>): void => {
      table.add(events.values())
      for (const { letter } of rejected) rejections.add(letter)
    }
    return { sampled: await sample(found.source, { untilMs, signal, onRead }), table }
  })
  if (sampled.records === 0 && !sampled.isWhole) throw late(given)
  const isWhole = sampled.isWhole && found.share === undefined
  return {
    found,
    records: sampled.records,
    rows: table.rows,
    isWhole,
    total: await totalOf(found, sampled, isWhole ? undefined : looking(COUNT_MS)),
    columns: table.found(),
    moreColumns: table.moreColumns,
    rejected: rejections.count,
    rejections: rejections.groups,
    // The copy of a beginning ends in the middle of something.
    unread: found.share === undefined ? sampled.unread : [],
  }
}

async function inTime<T>(given: string, time: Looking, work: (time: Looking) => Promise<T>): Promise<T> {
  try {
    return await work(time)
  } catch (thrown) {
    throw time.signal.aborted ? late(given, thrown) : thrown
  }
}

function late(given: string, cause?: unknown): SluiceError {
  const message = `Cannot try ${quotePath(redact(given))}: nothing was read of it in time`
  return new SluiceError(
    'SOURCE_UNREADABLE',
    message,
    { source: redact(given), offset: 0, errno: 'ETIMEDOUT' },
    { cause },
  )
}

async function declared({ source }: Found, signal: AbortSignal): Promise<Readonly<Record<string, ColumnType>>> {
  return (await source.findColumns?.({ signal })) ?? {}
}

async function totalOf(found: Found, { records, share }: Sampled, looking?: Looking): Promise<Explored['total']> {
  if (looking === undefined) return { rows: records, isExact: true }
  // What cannot be counted in time is not told.
  const counted = await found.countRows?.(looking).catch(() => undefined)
  if (counted !== undefined) return counted
  const all = found.share === undefined ? share : found.share * (share ?? 1)
  return all === undefined || all === 0 ? undefined : { rows: Math.round(records / all), isExact: false }
}

/** The columns of rows, in the order in which they first occur. */
class Table {
  readonly #declared: Readonly<Record<string, ColumnType>>
  readonly #columns = new Map<string, ColumnProfile>()
  /** Names of columns that are only counted. */
  readonly #others = new Set<string>()
  rows = 0

  constructor(declared: Readonly<Record<string, ColumnType>>) {
    this.#declared = declared
    for (const name of Object.keys(declared)) this.#columnOf(name)
  }

  add(events: readonly unknown[]): void {
    for (const event of events) {
      this.rows += 1
      if (!isRow(event)) this.#columnOf(VALUE)?.add(event)
      else for (const name of Object.keys(event)) this.#columnOf(name)?.add(event[name])
    }
  }

  get moreColumns(): number {
    return this.#others.size
  }

  found(): readonly ColumnFound[] {
    return [...this.#columns.values()].map((column) => column.found(this.rows))
  }

  #columnOf(name: string): ColumnProfile | undefined {
    const known = this.#columns.get(name)
    if (known !== undefined) return known
    if (this.#columns.size >= MOST_COLUMNS) {
      if (this.#others.size < MOST_OTHERS) this.#others.add(name.slice(0, 100))
      return undefined
    }
    const type = Object.hasOwn(this.#declared, name) ? this.#declared[name] : undefined
    const column = new ColumnProfile(name, type)
    this.#columns.set(name, column)
    return column
  }
}

function isRow(event: unknown): event is Readonly<Record<string, unknown>> {
  return typeof event === 'object' && event !== null && !Array.isArray(event)
}
