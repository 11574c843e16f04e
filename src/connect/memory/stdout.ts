// The sink that writes to standard output: one line per row.

import type { Writable } from 'node:stream'
import { checkKeys, describeValue } from '../../base/check.ts'
import { errnoOf, messageOf, SluiceError } from '../../base/errors.ts'
import { type Batch, deadLetterAt } from '../batch.ts'
import { jsonText } from '../kits/json/line.ts'
import type { DeadLetter } from '../origin.ts'
import { identified, identityAt, type RowIdentity } from '../row-identity.ts'
import type { TwoPhaseSink, TwoPhaseWriter } from '../sink.ts'

/** The line of a row, without its end; if it throws, the row becomes a dead letter. */
export type LineOf<Row> = (row: Row, identity: RowIdentity) => string

export interface StdoutSinkOptions {
  /** Whether rows name the record they were made from, as `_source`, `_offset` and `_part`: true by default. */
  readonly identity?: boolean
  /** Where lines go instead of standard output. */
  readonly output?: Writable
}

/**
 * Writes rows to standard output, one line each.
 *
 * - **Lines** are JSON, in which each row names the place of its record (`_source`, `_offset`, `_part`); or the result
 *   of `lineOf`.
 * - **At least once**: after an interruption, a run writes again what came after its last commit. The place of its
 *   record identifies a repeated row.
 * - **Waits** for a slow reader.
 * - **Closed** by its reader, as by `head`, the output accepts nothing more: the run stops with OUTPUT_CLOSED, and what
 *   was not committed comes again in the next one.
 *
 * @example
 * const sink = checkpointed(stdoutSink((row: { name: string }) => row.name), { store: 'state.db' })
 * sink.title // => 'standard output'
 * sink.guarantee // => 'at-least-once'
 */
export function stdoutSink<Row>(lineOf?: LineOf<Row>, options: StdoutSinkOptions = {}): TwoPhaseSink<Row> {
  checkKeys('stdoutSink', options, ['identity', 'output'])
  if (lineOf !== undefined && typeof lineOf !== 'function') {
    throw new TypeError(`lineOf must be a function: found ${describeValue(lineOf)}`)
  }
  const { identity: hasIdentity = true, output } = options
  const textOf = (rows: Batch<Row>, at: number): string => {
    const row = rows.at(at)
    if (lineOf !== undefined) return lineOf(row, identityAt(rows, at))
    return jsonText(hasIdentity ? identified(row, identityAt(rows, at)) : row)
  }
  return {
    kind: 'stdout',
    title: 'standard output',
    guarantee: 'at-least-once',
    open: async ({ signal }) => new StdoutWriter(output ?? process.stdout, textOf, signal),
  }
}

const STEP = 'stdout'

class StdoutWriter<Row> implements TwoPhaseWriter<Row> {
  readonly #output: Writable
  readonly #textOf: (rows: Batch<Row>, at: number) => string
  readonly #signal: AbortSignal | undefined
  /** Why nothing more can be written. */
  #failure: unknown
  /** Keeps an error of the output from ending the process; the next call reports it. */
  readonly #onError = (error: unknown): void => {
    this.#failure ??= outputError(error)
  }

  constructor(output: Writable, textOf: (rows: Batch<Row>, at: number) => string, signal: AbortSignal | undefined) {
    this.#output = output
    this.#textOf = textOf
    this.#signal = signal
    output.on('error', this.#onError)
  }

  async write(rows: Batch<Row>): Promise<readonly DeadLetter[]> {
    this.#signal?.throwIfAborted()
    const letters: DeadLetter[] = []
    const lines: string[] = []
    for (let at = 0; at < rows.length; at += 1) {
      try {
        const text = this.#textOf(rows, at)
        if (typeof text !== 'string') throw new TypeError(`a line is a text: found ${describeValue(text)}`)
        if (/[\r\n]/.test(text)) throw new TypeError('a line must not contain a line end')
        lines.push(text, '\n')
      } catch (error) {
        letters.push(deadLetterAt(rows, at, STEP, messageOf(error)))
      }
    }
    if (lines.length > 0) await this.#put(lines.join(''))
    return letters
  }

  prepare(): null {
    if (this.#failure !== undefined) throw this.#failure
    return null
  }

  publish(): void {}

  async close(): Promise<void> {
    // Nobody listens any more to an error that comes only now.
    setImmediate(() => this.#output.off('error', this.#onError))
  }

  /** Resolves when the system has taken all of it. */
  #put(text: string): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const signal = this.#signal
    const stop = (): void => reject(signal?.reason)
    signal?.addEventListener('abort', stop, { once: true })
    this.#output.write(text, (error) => {
      signal?.removeEventListener('abort', stop)
      if (error == null) return resolve()
      this.#onError(error)
      reject(this.#failure)
    })
    return promise
  }
}

/** Why standard output accepts nothing more. */
export function outputError(error: unknown): SluiceError {
  const errno = errnoOf(error)
  if (errno === 'EPIPE' || errno === 'ERR_STREAM_DESTROYED' || errno === 'ERR_STREAM_WRITE_AFTER_END') {
    const message = 'Cannot write to standard output: its reader has closed it'
    return new SluiceError('OUTPUT_CLOSED', message, { sink: 'standard output' }, { cause: error })
  }
  const message = `Cannot write to standard output: ${messageOf(error)} (${errno})`
  return new SluiceError('STORAGE_FAILED', message, { path: 'standard output', errno }, { cause: error })
}
