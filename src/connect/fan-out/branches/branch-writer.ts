// A branch at work: takes the files that were committed for it, one after the other, each in its own transaction.

import { backoffMs } from '../../../base/backoff.ts'
import { systemClock } from '../../../base/clock.ts'
import { orClose } from '../../../base/closing.ts'
import { isSluiceError, messageOf, SluiceError } from '../../../base/errors.ts'
import type { Columns } from '../../column.ts'
import type { Checkpoint, Sink, SinkOptions, SinkWriter } from '../../sink.ts'
import { addTotals, NO_TOTALS } from '../../totals.ts'
import { branchesInvalid, checkLineage, LINEAGE } from './record.ts'
import type { Spool, SpoolFile } from './spool.ts'

const BACKOFF = { firstMs: 1000, capMs: 30_000 }

export interface BranchWriterOptions {
  readonly name: string
  readonly sink: Sink<unknown>
  readonly spool: Spool
  readonly mayLagBytes: number
  readonly lineage: string
  /** Of the pipeline that it follows. */
  readonly opening: Omit<SinkOptions, 'columns'> & { readonly columns?: Columns }
  /** The last file that was committed for it; 0 before the first. */
  readonly seq: number
  /** How much may wait for it. */
  readonly files: readonly SpoolFile[]
}

/**
 * Follows the first sink. It never fails by itself: a lost sink is reopened after a wait, and a permanent error is
 * thrown to the awaiting caller.
 */
export class BranchWriter {
  readonly name: string
  readonly #options: BranchWriterOptions
  readonly #closing = new AbortController()
  /** Committed for it, and not taken: the first is next. */
  readonly #files: SpoolFile[]
  #lagBytes = 0
  #last: number
  #writer: SinkWriter<unknown> | undefined
  /** Its epoch, once it was opened. */
  #checkpoint: Checkpoint | undefined
  #working: Promise<void> | undefined
  /** The error it was lost with, until it is back. */
  #lost: SluiceError<'SINK_LOST'> | undefined
  /** Its permanent error. */
  #failure: { readonly error: unknown } | undefined
  /** Callers that wait for it to make progress. */
  #moved = Promise.withResolvers<void>()

  /** Takes everything that waits for a branch, and closes it. */
  static async catchUp(options: BranchWriterOptions): Promise<void> {
    const branchWriter = new BranchWriter(options)
    try {
      await branchWriter.start()
      await branchWriter.settle()
    } finally {
      await branchWriter.close()
    }
  }

  constructor(options: BranchWriterOptions) {
    this.name = options.name
    this.#options = options
    this.#files = [...options.files]
    this.#last = options.seq
    for (const { bytes } of this.#files) this.#lagBytes += bytes
  }

  /** Opens its sink; one that is lost for now is retried in the background. */
  async start(): Promise<void> {
    try {
      await this.#open()
    } catch (error) {
      if (!isSluiceError(error, 'SINK_LOST')) throw error
      await this.#lose(error)
    }
    this.#wake()
  }

  /** What it has not taken yet. */
  get waiting(): readonly SpoolFile[] {
    return this.#files
  }

  /** Takes a committed file. */
  add(file: SpoolFile): void {
    this.#files.push(file)
    this.#last = file.seq
    this.#lagBytes += file.bytes
    this.#wake()
  }

  /**
   * Waits until at most `bytes` of files wait for it.
   * @throws its permanent error, or SINK_LOST if it is lost
   */
  async caughtUp(bytes: number = this.#options.mayLagBytes): Promise<void> {
    for (;;) {
      this.check()
      if (this.#lagBytes <= bytes) return
      if (this.#lost !== undefined) throw this.#lost
      await this.#moved.promise
    }
  }

  /** Waits until it has taken everything, and so have its own branches. */
  async settle(): Promise<void> {
    await this.caughtUp(0)
    await this.#writer?.flush?.()
  }

  /**
   * @throws its permanent error
   */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Renews its own lease. */
  async renew(): Promise<void> {
    try {
      await this.#writer?.renewLease?.()
    } catch (error) {
      // A lost sink is noticed when it is written to.
      if (!isSluiceError(error, 'SINK_LOST')) this.#fail(error)
    }
  }

  async close(): Promise<void> {
    this.#fail(
      new SluiceError('SINK_LOST', `Cannot wait for branch ${this.name}: it is closed`, {
        sink: this.#options.sink.title,
        reason: 'it is closed',
      }),
    )
    this.#closing.abort(this.#failure?.error)
    await this.#working
    await this.#writer?.close()
    this.#writer = undefined
  }

  #wake(): void {
    if (this.#closing.signal.aborted || this.#failure !== undefined || this.#files.length === 0) return
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
      // Whatever came between the last check and the end of the work.
      this.#wake()
    })
  }

  /** Takes files as long as there are any. */
  async #work(): Promise<void> {
    let attempt = 0
    for (let file = this.#files[0]; file !== undefined && !this.#closing.signal.aborted; file = this.#files[0]) {
      try {
        if (this.#lost !== undefined) {
          attempt += 1
          await systemClock.sleep(backoffMs(attempt, BACKOFF), this.#closing.signal)
        }
        if (this.#writer === undefined) await this.#open()
        await this.#take(file)
        attempt = 0
      } catch (error) {
        if (this.#closing.signal.aborted) return
        await this.#lose(error)
        if (this.#failure !== undefined) return
      }
    }
  }

  async #open(): Promise<void> {
    const { sink, lineage, opening, name, spool } = this.#options
    const writer = await sink.open(opening)
    await orClose(writer, async () => {
      this.#checkpoint = writer.checkpoint
      const seq = writer.checkpoint?.epoch ?? 0
      checkLineage(opening.pipeline, name, writer.checkpoint, lineage)
      // The checkpoint may name files that were taken since: a branch commits by itself.
      while (this.#files[0] !== undefined && this.#files[0].seq <= seq) await this.#taken(this.#files[0], spool)
      const next = this.#files[0]
      const before = (next?.seq ?? this.#last + 1) - 1
      if (before !== seq || (next !== undefined && !(await spool.has(next)))) {
        throw branchesInvalid(
          opening.pipeline,
          `branch ${name} has taken ${seq} of ${this.#last} files, and the next is gone`,
        )
      }
    })
    this.#writer = writer
  }

  async #take(file: SpoolFile): Promise<void> {
    const writer = this.#writer as SinkWriter<unknown>
    const { spool, lineage } = this.#options
    let dead = 0
    for await (const rows of spool.read(file)) {
      this.#closing.signal.throwIfAborted()
      const refused = await writer.write(rows)
      if (refused.length > 0) await writer.writeDeadLetters(refused)
      dead += refused.length
    }
    const totals = addTotals(this.#checkpoint?.totals ?? NO_TOTALS, {
      read: file.rows,
      loaded: file.rows - dead,
      dead,
    })
    const states = new Map(this.#checkpoint === undefined ? [[LINEAGE, Buffer.from(lineage)]] : [])
    const checkpoint = { epoch: file.seq, positions: new Map(), totals, states }
    await writer.commit(checkpoint)
    this.#checkpoint = checkpoint
    if (dead > 0) this.#note(`branch ${this.name} rejected ${dead} of ${file.rows} rows`)
    if (this.#lost !== undefined) {
      this.#lost = undefined
      this.#note(`branch ${this.name} is back`)
    }
    await this.#taken(file, spool)
  }

  async #taken(file: SpoolFile, spool: Spool): Promise<void> {
    await spool.remove(file.name)
    this.#files.shift()
    this.#lagBytes -= file.bytes
    this.#tell()
  }

  /** A lost sink will be opened again. */
  async #lose(error: unknown): Promise<void> {
    const writer = this.#writer
    this.#writer = undefined
    await writer?.close().catch(() => {}) // The previous error is the one to report.
    if (!isSluiceError(error, 'SINK_LOST')) return this.#fail(error)
    if (this.#lost === undefined) this.#note(`${messageOf(error)}; the rows of branch ${this.name} wait for it`)
    this.#lost = error
    this.#tell()
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#tell()
  }

  #tell(): void {
    this.#moved.resolve()
    this.#moved = Promise.withResolvers<void>()
  }

  #note(note: string): void {
    this.#options.opening.onNote?.(note)
  }
}
