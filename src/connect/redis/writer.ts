// Writes rows into a Redis stream, a whole epoch at once: they are staged beside it before the epoch is committed.

import { randomBytes } from 'node:crypto'
import { orClose } from '../../base/closing.ts'
import { messageOf, SluiceError } from '../../base/errors.ts'
import { type Batch, deadLetterAt } from '../batch.ts'
import type { BrokerAddress } from '../kits/broker/address.ts'
import { answered, brokerError } from '../kits/broker/confirm.ts'
import { type NamedTexts, pairsOf } from '../kits/text/named-texts.ts'
import type { DeadLetter } from '../origin.ts'
import type { TwoPhaseSinkOptions, TwoPhaseWriter } from '../sink.ts'
import type { Json } from '../source.ts'
import { connectRedis, mayPass, type RedisClient } from './client.ts'

export interface StageOptions<Row> {
  readonly address: BrokerAddress
  readonly title: string
  readonly stream: string
  /** The approximate maximum length of the stream; undefined for no limit. */
  readonly maxLength: number | undefined
  readonly fields: (row: Row) => NamedTexts
}

/** The result of `prepare`: the staged rows of an epoch, and how many they are. */
interface StageNote {
  readonly epoch: number
  readonly stage: string
  readonly rows: number
}

const STEP = 'redis'
/** Rows, and characters of them, that are sent at once. */
const ROWS = 500
const CHARS = 1024 * 1024
/** A script can pass on only a limited number of values at once. */
const FIELDS = 1000

/** KEYS: the stage, the list of stages. ARGV: for each row how many texts it has, and these. */
const ADD = `
redis.call('SADD', KEYS[2], KEYS[1])
local at = 1
while at <= #ARGV do
  local size = tonumber(ARGV[at])
  redis.call('XADD', KEYS[1], '*', unpack(ARGV, at + 1, at + size))
  at = at + size + 1
end
return 'OK'`

/** KEYS: the stage, the list of stages, the stream, the last stage shown in it. ARGV: the stage's rows, the longest length. */
const SHOW = `
if redis.call('GET', KEYS[4]) ~= KEYS[1] then
  local found = redis.call('XLEN', KEYS[1])
  if found ~= tonumber(ARGV[1]) then return found end
  local from = '-'
  while true do
    local entries = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 500)
    if #entries == 0 then break end
    for _, entry in ipairs(entries) do redis.call('XADD', KEYS[3], '*', unpack(entry[2])) end
    from = '(' .. entries[#entries][1]
  end
  if ARGV[2] ~= '' then redis.call('XTRIM', KEYS[3], 'MAXLEN', '~', ARGV[2]) end
  redis.call('SET', KEYS[4], KEYS[1])
end
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[2], KEYS[1])
return 'OK'`

export class StageWriter<Row> implements TwoPhaseWriter<Row> {
  readonly #options: StageOptions<Row>
  readonly #client: RedisClient
  /** The prefix of all our keys: in a cluster they are on the same node as the stream. */
  readonly #front: string
  readonly #mark = randomBytes(6).toString('hex')
  readonly #signal: AbortSignal | undefined
  #epoch: number
  /** Staged in this epoch. */
  #rows = 0

  private constructor(
    options: StageOptions<Row>,
    client: RedisClient,
    { pipeline, epoch, signal }: TwoPhaseSinkOptions,
  ) {
    const { stream } = options
    this.#options = options
    this.#client = client
    this.#front = `${/\{[^}]+\}/.test(stream) ? stream : `{${stream}}`}:sluice:${pipeline}`
    this.#signal = signal
    this.#epoch = epoch + 1
  }

  /** Removes what was staged and not committed. */
  static async open<Row>(options: StageOptions<Row>, opening: TwoPhaseSinkOptions): Promise<StageWriter<Row>> {
    const { note, signal } = opening
    const { address } = options
    // The command that breaks it reports the error.
    const connecting = connectRedis(address, () => {}, signal)
    const client = await connecting.catch((error: unknown) => {
      throw signal?.aborted === true ? signal.reason : errorOf(options, error)
    })
    const writer = new StageWriter(options, client, opening)
    return await orClose(writer, async () => {
      await writer.#clear((note as StageNote | undefined)?.stage)
      return writer
    })
  }

  async write(rows: Batch<Row>): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = []
    let [texts, taken, chars] = [[] as string[], 0, 0]
    const send = async (): Promise<void> => {
      if (taken === 0) return
      await this.#run(ADD, [this.#stage, this.#stages], texts)
      this.#rows += taken
      texts = []
      taken = 0
      chars = 0
    }
    for (let at = 0; at < rows.length; at += 1) {
      this.#signal?.throwIfAborted()
      const given = textsOf(this.#options.fields, rows.at(at))
      if (!Array.isArray(given)) {
        letters.push(deadLetterAt(rows, at, STEP, given))
        continue
      }
      texts.push(String(given.length), ...given)
      taken += 1
      for (const text of given) chars += text.length
      if (taken >= ROWS || chars >= CHARS) await send()
    }
    await send()
    return letters
  }

  prepare(epoch: number): Json {
    const note: StageNote = { epoch, stage: this.#stage, rows: this.#rows }
    this.#epoch = epoch + 1
    this.#rows = 0
    return { ...note }
  }

  async publish(note: Json): Promise<void> {
    const { epoch, stage, rows } = note as unknown as StageNote
    if (rows === 0) return
    const { stream, maxLength = '', title } = this.#options
    const keys = [stage, this.#stages, stream, this.#last]
    const found = await this.#run(SHOW, keys, [String(rows), String(maxLength)])
    if (String(found) === 'OK') return
    const gone = `${found} of the ${rows} rows that were staged for epoch ${epoch} are there`
    const why = 'did Redis lose data, or does another pipeline of this name add to the stream?'
    const message = `Cannot publish epoch ${epoch} in ${title}: ${gone}: ${why}`
    throw new SluiceError('SINK_MISMATCH', message, { sink: title, table: stream, found: gone })
  }

  async close(): Promise<void> {
    // Everything that was requested is answered, or abandoned.
    if (this.#client.isOpen) this.#client.destroy()
  }

  get #stage(): string {
    return `${this.#front}:stage:${this.#epoch}:${this.#mark}`
  }

  get #stages(): string {
    return `${this.#front}:stages`
  }

  get #last(): string {
    return `${this.#front}:shown`
  }

  async #clear(kept: string | undefined): Promise<void> {
    for (const stage of (await this.#send(['SMEMBERS', this.#stages])) as string[]) {
      if (stage === kept) continue
      await this.#send(['DEL', stage])
      await this.#send(['SREM', this.#stages, stage])
    }
  }

  #run(script: string, keys: readonly string[], values: readonly string[]): Promise<unknown> {
    return this.#send(['EVAL', script, String(keys.length), ...keys, ...values])
  }

  async #send(args: string[]): Promise<unknown> {
    const sizeBytes = args.reduce((sum, { length }) => sum + length, 0)
    try {
      return await answered(this.#client.sendCommand(args), { sizeBytes, signal: this.#signal })
    } catch (error) {
      this.#signal?.throwIfAborted()
      const found = messageOf(error)
      const { title, stream } = this.#options
      if (!/WRONGTYPE/.test(found)) throw errorOf(this.#options, error)
      const message = `Cannot add to ${title}: the key does not hold a stream`
      throw new SluiceError('SINK_MISMATCH', message, { sink: title, table: stream, found }, { cause: error })
    }
  }
}

/** Names and texts of a row, or why it has none. */
function textsOf<Row>(fields: (row: Row) => NamedTexts, row: Row): string[] | string {
  try {
    const pairs = pairsOf('field', fields(row) ?? {})
    if (pairs.length === 0) return 'an entry has at least one field'
    return pairs.length > FIELDS ? `an entry has at most ${FIELDS} fields: found ${pairs.length}` : pairs.flat()
  } catch (error) {
    return messageOf(error)
  }
}

function errorOf({ title }: StageOptions<never>, error: unknown): SluiceError {
  return brokerError(error, { act: 'add to', sink: title, mayPass: mayPass(error) })
}
