import { deepEqual, equal, rejects, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readEntries } from '../../../testing/conformance/reading.ts'
import { json } from '../../formats/json/format.ts'
import { textLines } from '../../formats/text.ts'
import type { SourceRecord } from '../../origin.ts'
import type { OpenOptions, Position } from '../../source.ts'
import { bodyReader } from './body.ts'
import { type Deduplicator, IdDedup, SequenceDedup } from './deduplicator.ts'
import { livePosition, PushReader } from './push-reader.ts'

interface Message {
  readonly id: string
  readonly isAgain?: boolean
}

function setUp(
  known: Deduplicator,
  { count = 0, messages = 4, ...open }: { count?: number; messages?: number } & OpenOptions = {},
) {
  const said: string[] = []
  const reader = new PushReader<string, Message>({
    title: 'a queue',
    known,
    idOf: ({ id }) => id,
    isAgain: ({ isAgain = false }) => isAgain,
    bytesOf: ({ id }) => id.length,
    read: ({ id }, offset) => ({ kind: 'event', value: id, origin: { source: 'queue', line: 0, offset, raw: id } }),
    limits: { messages, bytes: 1000 },
    count,
    open,
  })
  reader.attach({
    pause: () => said.push('pause'),
    resume: () => said.push('resume'),
    acknowledge: (done) => said.push(`done ${done.map(({ id, isAgain }) => (isAgain ? `${id} again` : id)).join(' ')}`),
    close: async () => void said.push('close'),
  })
  const push = (...ids: string[]) => {
    for (const id of ids) reader.push({ id })
  }
  const again = (...ids: string[]) => {
    for (const id of ids) reader.push({ id, isAgain: true })
  }
  const read = async (max: number) => valuesOf(await readEntries(reader, max))
  return { reader, said, push, again, read }
}

function valuesOf(entries: readonly SourceRecord<string>[] | undefined): string[] | undefined {
  return entries?.map((entry) => (entry.kind === 'event' ? entry.value : 'dead'))
}

const numbers = (after?: string) =>
  new SequenceDedup(after === undefined ? {} : { after }, (a, b) => Number(a) - Number(b))

describe('PushReader', () => {
  it('gives what came as it is asked for, and waits for what has not', async () => {
    const { push, read } = setUp(numbers())
    const waiting = read(2)
    push('1', '2', '3')
    deepEqual([await waiting, await read(2)], [['1', '2'], ['3']])
  })

  it('acknowledges what is committed, in its order, and nothing before', async () => {
    const { reader, said, push, read } = setUp(numbers())
    push('1', '2')
    await read(1)
    const first = reader.position()
    await read(1)
    const second = reader.position()
    deepEqual(said, [])
    reader.acknowledge(first)
    deepEqual(said, ['done 1'])
    reader.acknowledge(second)
    reader.acknowledge(second)
    deepEqual(said, ['done 1', 'done 2'])
  })

  it('asks the sender to pause when enough waits, and to go on when half is gone', async () => {
    const { said, push, read, reader } = setUp(numbers(), { messages: 4 })
    push('1', '2', '3')
    equal(reader.isFull, false)
    push('4', '5')
    deepEqual(said, ['pause'])
    await read(2)
    equal(reader.isFull, true)
    await read(1)
    deepEqual(said, ['pause', 'resume'])
  })

  it('gives once what is sent again before it is committed, and acknowledges the last sending', async () => {
    const { reader, said, push, again, read } = setUp(numbers())
    push('1', '2')
    await read(1)
    again('1', '2')
    deepEqual(await read(5), ['2'])
    reader.acknowledge(reader.position())
    deepEqual(said, ['done 1 again 2'])
  })

  it('acknowledges again what is sent again after its commit', async () => {
    const { reader, said, push, again, read } = setUp(numbers())
    push('1')
    await read(1)
    reader.acknowledge(reader.position())
    again('1')
    deepEqual(said, ['done 1', 'done 1 again'])
  })

  it('waits for all that was not given when the connection broke', async () => {
    const { reader, push, again, read } = setUp(numbers())
    push('1', '2', '3')
    await read(1)
    reader.lost()
    again('1', '2', '3')
    deepEqual(await read(5), ['2', '3'])
  })

  it('knows in a later run what an earlier one committed, in order', async () => {
    const { again, push, read, said, reader } = setUp(numbers('7'), { count: 7 })
    again('6', '7')
    push('8')
    deepEqual(await read(5), ['8'])
    deepEqual(said, ['done 6 again', 'done 7 again'])
    deepEqual(reader.position(), { count: 8, after: '8' })
  })

  it('knows in a later run what an earlier one committed, by name', async () => {
    const one = setUp(new IdDedup({}, 10))
    one.push('a', 'b', 'c')
    await one.read(1)
    one.reader.acknowledge(one.reader.position())
    await one.read(1)
    const position = JSON.parse(JSON.stringify(one.reader.position())) as { count: number; pending: string[] }
    deepEqual(position, { count: 2, pending: ['a', 'b'] })
    const two = setUp(new IdDedup(position, 10), { count: position.count })
    two.again('a', 'b', 'c')
    deepEqual(await two.read(5), ['c'])
    deepEqual(two.said, ['done a again', 'done b again'])
  })

  it('takes a name that comes as a new one for a new message', async () => {
    const { push, again, read } = setUp(new IdDedup({ pending: ['5'] }, 10))
    push('5')
    deepEqual(await read(5), ['5'])
    again('5')
    push('6')
    deepEqual(await read(5), ['6'])
  })

  it('keeps no more names than the sender has messages on their way', async () => {
    const known = new IdDedup({}, 2)
    const { reader, push, read } = setUp(known)
    push('a', 'b', 'c')
    await read(5)
    reader.acknowledge(reader.position())
    deepEqual(known.position(), { pending: ['b', 'c'] })
  })

  it('ends the wait with the reason of the signal, and can acknowledge still', async () => {
    const stop = new AbortController()
    const { reader, said, push, read } = setUp(numbers(), { signal: stop.signal })
    push('1')
    await read(1)
    const waiting = read(1)
    const reason = new Error('stopped')
    stop.abort(reason)
    await rejects(waiting, reason)
    reader.acknowledge(reader.position())
    deepEqual(said, ['done 1'])
  })

  it('gives what has come before it says what failed', async () => {
    const { reader, push, read } = setUp(numbers())
    push('1')
    reader.fail(new Error('gone'))
    deepEqual(await read(5), ['1'])
    throws(() => reader.read(5), /gone/)
  })

  it('ends when nothing more comes, and a wait with it', async () => {
    const { reader, read } = setUp(numbers())
    const waiting = read(1)
    reader.end()
    equal(await waiting, undefined)
  })

  it('refuses an invalid position', () => {
    for (const from of [7, null, 'x', {}, { count: -1 }] as Position[]) {
      throws(() => livePosition('a queue', from), { code: 'POSITION_LOST' })
    }
  })
})

describe('bodyReader', () => {
  const counts = { read: 0, blank: 0, invalidUtf8: 0 }
  const bodyOf = (bytes: string | Uint8Array) => {
    return {
      bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
      meta: { topic: 'a' },
      source: 'a',
      count: 3,
    }
  }

  it('makes an event of body and what came with it', () => {
    const read = bodyReader(json<{ t: number }>(), ({ t }, { topic }: { topic: string }) => ({ t, topic }))
    deepEqual(read(bodyOf('{"t":1}'), counts), {
      kind: 'event',
      value: { t: 1, topic: 'a' },
      origin: { source: 'a', line: 0, offset: 3, raw: '{"t":1}' },
    })
  })

  it('makes a dead letter of what is not in the format, and of what event throws at', () => {
    const read = bodyReader(json<{ t: { u: number } }>(), ({ t }) => t.u)
    deepEqual(
      ['{', '{}'].map((text) => {
        const entry = read(bodyOf(text), counts)
        return entry.kind === 'dead' ? entry.step : entry
      }),
      ['json', 'event'],
    )
  })

  it('R1: a body that is not UTF-8 is a dead letter that keeps its bytes', () => {
    const found = { read: 0, blank: 0, invalidUtf8: 0 }
    const read = bodyReader<string, { topic: string }, string>(textLines(), undefined)
    const bodies = [Uint8Array.of(97, 92, 0xe9, 98), Uint8Array.of(0xef), Buffer.from('é\ufffd')]
    deepEqual(
      bodies
        .map((bytes) => read(bodyOf(bytes), found))
        .map((entry) => {
          return entry.kind === 'dead' ? [entry.step, entry.reason, entry.origin.raw] : entry.value
        }),
      [
        ['lines', 'not UTF-8: found the byte \\xe9', 'a\\\\\\xe9b'],
        ['lines', 'not UTF-8: found the byte \\xef', '\\xef'],
        'é\ufffd',
      ],
    )
    equal(found.invalidUtf8, 2)
  })
})
