// Rows and dead letters of a bundle on their way into the sink: gathered first, then written in one transaction.

import { hash64 } from '../../base/hash.ts'
import { type Batch, batchOf, joined } from '../../connect/batch.ts'
import { type DeadLetter, isOfRecord } from '../../connect/origin.ts'
import type { SinkWriter } from '../../connect/sink.ts'
import { NO_TOTALS } from '../../connect/totals.ts'
import { resultOrigins } from '../../pipeline/sink-stage.ts'
import type { TaskOptions } from './task-run.ts'

/** Rows in one transaction, about. */
const MOST_ROWS = 50_000

/** No position is kept: a bundle that is done again writes the same rows under the same keys. */
const NO_CHECKPOINT = { epoch: 1, positions: new Map(), totals: NO_TOTALS, states: new Map() }

/** Nothing waits while a transaction is open but the store itself. */
export class Loader {
  readonly #options: TaskOptions
  #rows: Batch[] = []
  #count = 0
  #letters: DeadLetter[] = []

  constructor(options: TaskOptions) {
    this.#options = options
  }

  rows(batch: Batch): void {
    this.#rows.push(batch)
    this.#count += batch.length
  }

  letters(letters: readonly DeadLetter[]): void {
    for (const letter of letters) this.#letters.push(letter)
  }

  async writeIfFull(): Promise<void> {
    if (this.#count + this.#letters.length >= MOST_ROWS) await this.write()
  }

  /** Writes what was gathered; it is durable when this resolves. */
  async write(): Promise<void> {
    if (this.#count + this.#letters.length === 0) return
    const { job, task, counts, writers } = this.#options
    const [rows, letters, count] = [this.#rows, this.#letters, this.#count]
    this.#rows = []
    this.#letters = []
    this.#count = 0
    const { owner } = task.job
    const refused = await writers.within({ ...job, owner }, (writer) => put(writer, rows, letters))
    counts.loaded += count - refused
    counts.dead += letters.length + refused
  }
}

/** Returns how many rows the sink rejected. */
async function put(
  writer: SinkWriter<unknown>,
  batches: readonly Batch[],
  found: readonly DeadLetter[],
): Promise<number> {
  const letters = [...found]
  const ofRecords = batches.filter(({ hasOrigins }) => hasOrigins)
  const results = batches.filter(({ hasOrigins }) => !hasOrigins)
  if (ofRecords.length > 0) letters.push(...(await writer.write(joined(ofRecords))))
  if (results.length > 0) letters.push(...(await writer.write(numbered(joined(results)))))
  if (letters.length > 0) await writer.writeDeadLetters(letters.map(placed))
  await writer.commit(NO_CHECKPOINT)
  return letters.length - found.length
}

function numbered(rows: Batch): Batch {
  return batchOf(rows.values(), resultOrigins(rows, 0))
}

/** What was made of many records is known by its text: the same letter again takes the same place. */
function placed(letter: DeadLetter): DeadLetter {
  const { origin, step } = letter
  if (isOfRecord(origin)) return letter
  hash64(`${step}\n${origin.raw}`, words)
  return { ...letter, origin: { ...origin, offset: (words[0] as number) * 2 ** 20 + ((words[1] as number) & 0xfffff) } }
}

const words = new Uint32Array(2)
