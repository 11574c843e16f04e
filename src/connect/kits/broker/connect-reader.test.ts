import { deepEqual, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { tracked } from '../../origin.ts'
import { connectReader, type LiveConnection } from './connect-reader.ts'
import { NoDedup } from './deduplicator.ts'
import type { PushReader } from './push-reader.ts'

interface Line extends LiveConnection {
  readonly number: number
}

/** A reader whose sender breaks, while it is being connected to, as often as it is told. */
async function connected(
  breaks: number,
): Promise<{ readonly reader: PushReader<string, string>; readonly log: string[] }> {
  const log: string[] = []
  let count = 0
  const reader = await connectReader<string, string, Line>(
    {
      title: 'queue a',
      known: new NoDedup(),
      idOf: (message) => message,
      bytesOf: () => 1,
      read: (value, offset) => tracked(value, { source: 'queue a', line: 0, offset, raw: value }),
      limits: { messages: 10, bytes: 10 },
      count: 0,
      open: { onNote: (note) => log.push(note) },
      address: { shown: 'amqp://a:5672' },
      retryMs: 300,
    },
    () => ({
      mayPass: () => true,
      connect: async (_signal, onLost) => {
        count += 1
        const number = count
        // The same packet brings the answer to the last question, and the goodbye.
        if (number <= breaks) onLost(new Error('goodbye'))
        return { number, resume: () => {}, close: async () => void log.push(`closed ${number}`) }
      },
      acknowledge: (connection) => log.push(`told ${connection?.number}`),
    }),
  )
  return { reader, log }
}

describe('connectReader', () => {
  it('takes no connection for one that broke before it was handed over', async () => {
    const { reader, log } = await connected(1)
    reader.push('a')
    await reader.read(1)
    reader.acknowledge(reader.position())
    await reader.close()
    deepEqual(log, ['closed 1', 'told 2', 'closed 2'])
  })

  it('gives up on connections that break again and again before they are handed over', async () => {
    await rejects(connected(Number.POSITIVE_INFINITY), {
      code: 'SOURCE_UNREADABLE',
      message: 'Cannot read queue a: goodbye',
    })
  })
})
