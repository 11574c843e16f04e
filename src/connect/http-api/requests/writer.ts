// Sends rows in batches over HTTP, several at a time, and finds the rejected ones.

import { createHash } from 'node:crypto'
import { type Clock, systemClock } from '../../../base/clock.ts'
import { messageOf, SluiceError } from '../../../base/errors.ts'
import { type Batch, deadLetterAt } from '../../batch.ts'
import type { Address } from '../../kits/http/address.ts'
import { Pacer } from '../../kits/http/pacer.ts'
import { type Answer, type RequestOptions, request } from '../../kits/http/request.ts'
import { jsonText } from '../../kits/json/line.ts'
import type { DeadLetter } from '../../origin.ts'
import { identified, identityAt } from '../../row-identity.ts'
import type { TwoPhaseSinkOptions, TwoPhaseWriter } from '../../sink.ts'

export interface HttpWriterOptions extends Pick<RequestOptions, 'address' | 'method' | 'timeoutMs' | 'retryMs'> {
  readonly format: 'json' | 'ndjson'
  readonly keyHeader: string
  readonly identity: boolean
  readonly batchRows: number
  readonly batchBytes: number
  readonly concurrency: number
  readonly bisect: boolean
}

/** A row as it is sent, and its index in its batch. */
interface Item {
  readonly text: string
  readonly at: number
}

/** Makes a dead letter for the row at an index. */
type Refuse = (at: number, reason: string) => void

const STEP = 'http'
const BACKOFF = { firstMs: 200, capMs: 20_000 }
/** How much of an answer a dead letter shows. */
const SHOWN_CHARS = 200

/** Statuses about the address, or the sender, and not about the rows. */
const OF_THE_ADDRESS: ReadonlySet<number> = new Set([401, 403, 404, 405, 407, 410])

export class HttpWriter<Row> implements TwoPhaseWriter<Row> {
  readonly #options: HttpWriterOptions
  readonly #opening: TwoPhaseSinkOptions
  readonly #clock: Clock
  readonly #pacer: Pacer
  /** Ends what is under way when one request has failed for good, or the sink is closed. */
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  /** The epoch that rows now belong to, and the next request of it. */
  #epoch: number
  #number = 1

  constructor(options: HttpWriterOptions, opening: TwoPhaseSinkOptions, clock: Clock = systemClock) {
    this.#options = options
    this.#opening = opening
    this.#clock = clock
    this.#pacer = new Pacer(clock)
    this.#epoch = opening.epoch + 1
    const { signal } = opening
    this.#signal = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal])
  }

  async write(rows: Batch<Row>): Promise<readonly DeadLetter[]> {
    this.#signal.throwIfAborted()
    const letters: DeadLetter[] = []
    const refuse: Refuse = (at, reason) => void letters.push(deadLetterAt(rows, at, STEP, reason))
    const batches = this.#batchesOf(rows, refuse)
    const send = async (): Promise<void> => {
      for (const { items, name } of batches) await this.#send(items, name, refuse)
    }
    // As many as may run at a time, each with the next batch that nobody has taken.
    const senders = Array.from({ length: this.#options.concurrency }, send)
    try {
      await Promise.all(senders)
    } catch (error) {
      this.#stop.abort(error)
      await Promise.allSettled(senders)
      throw error
    }
    return letters
  }

  prepare(epoch: number): null {
    this.#epoch = epoch + 1
    this.#number = 1
    return null
  }

  publish(): void {}

  async close(): Promise<void> {
    this.#stop.abort(new Error('the sink is closed'))
  }

  /** Rows as they are sent, cut into batches on request. */
  *#batchesOf(rows: Batch<Row>, refuse: Refuse): Generator<{ readonly items: readonly Item[]; readonly name: string }> {
    const { batchRows, batchBytes } = this.#options
    let items: Item[] = []
    let bytes = 0
    const next = () => ({ items, name: String(this.#number++) })
    for (let at = 0; at < rows.length; at += 1) {
      const item = this.#itemOf(rows, at, refuse)
      if (item === undefined) continue
      if (items.length > 0 && (items.length >= batchRows || bytes + item.text.length > batchBytes)) {
        yield next()
        items = []
        bytes = 0
      }
      items.push(item)
      bytes += item.text.length
    }
    if (items.length > 0) yield next()
  }

  #itemOf(rows: Batch<Row>, at: number, refuse: Refuse): Item | undefined {
    const row = rows.at(at)
    try {
      return { text: jsonText(this.#options.identity ? identified(row, identityAt(rows, at)) : row), at }
    } catch (error) {
      refuse(at, messageOf(error))
    }
  }

  async #send(items: readonly Item[], name: string, refuse: Refuse): Promise<void> {
    const { address } = this.#options
    const answer = await this.#request(items, name)
    switch (answer.kind) {
      case 'ok':
      case 'too-large':
        return
      case 'unreachable': {
        const { attempts, reason } = answer
        const tried = attempts === 1 ? '1 attempt' : `${attempts} attempts`
        throw unreachable(address, attempts, `${tried} failed, the last with: ${reason}`)
      }
      case 'corrupt':
        throw unreachable(address, 1, `its answer cannot be decompressed: ${answer.reason}`)
      case 'refused':
        return await this.#refused(answer, items, name, refuse)
    }
  }

  async #refused(
    { status, body, headers }: Extract<Answer, { kind: 'refused' }>,
    items: readonly Item[],
    name: string,
    refuse: Refuse,
  ): Promise<void> {
    const { address, bisect } = this.#options
    if (status < 400) throw unreachable(address, 1, `it answered ${status}, to go to ${originOf(headers)}`)
    if (OF_THE_ADDRESS.has(status)) throw unreachable(address, 1, `it answered ${status}${shown(body)}`)
    if (items.length > 1 && (bisect || status === 413)) {
      const half = items.length >> 1
      await this.#send(items.slice(0, half), `${name}.0`, refuse)
      return await this.#send(items.slice(half), `${name}.1`, refuse)
    }
    for (const { at } of items) refuse(at, `rejected with ${status}${shown(body)}`)
  }

  #request(items: readonly Item[], name: string): Promise<Answer> {
    const { address, method, format, keyHeader, timeoutMs, retryMs } = this.#options
    const texts = items.map(({ text }) => text)
    const body = format === 'json' ? `[${texts.join(',')}]` : `${texts.join('\n')}\n`
    const type = format === 'json' ? 'application/json' : 'application/x-ndjson'
    const key = idempotencyKey(this.#opening.pipeline, String(this.#epoch), name, body)
    return request({
      address,
      method,
      headers: { 'content-type': type, [keyHeader]: key },
      body,
      timeoutMs,
      retryMs,
      backoff: BACKOFF,
      maxBytes: 0,
      pacer: this.#pacer,
      clock: this.#clock,
      signal: this.#signal,
    })
  }
}

function unreachable(address: Address, attempts: number, found: string): SluiceError<'SINK_UNREACHABLE'> {
  const message = `Cannot send rows to ${address.shown}: ${found}`
  return new SluiceError('SINK_UNREACHABLE', message, { sink: address.shown, attempts })
}

function shown(body: string): string {
  const text = body.replace(/\s+/g, ' ').trim()
  if (text === '') return ''
  return `: ${text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text}`
}

/** Where a redirection leads, without its secrets. */
function originOf(headers: Headers): string {
  try {
    return new URL(headers.get('location') ?? '').origin
  } catch {
    // Nowhere, or another path of the same server.
    return 'another path'
  }
}

/**
 * SHA-256 over parts, each prefixed with its length: other divisions of the same text give other keys.
 *
 * @example
 * idempotencyKey('a', 'bc') === idempotencyKey('ab', 'c') // => false
 */
export function idempotencyKey(...parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) {
    const bytes = Buffer.from(part)
    const length = Buffer.alloc(8)
    length.writeBigUInt64BE(BigInt(bytes.length))
    hash.update(length).update(bytes)
  }
  return hash.digest('hex')
}
