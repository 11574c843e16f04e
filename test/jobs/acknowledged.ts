// Numbers from a sender that waits for acknowledgements, with at most 50 on their way. Parameters: out, said (a file that
// is notified of each acknowledgement and of the end), count, failAt.

import { appendFileSync } from 'node:fs'
import { param, pipeline, type Source, sqliteSink } from 'sluice'
import { SequenceDedup } from '../../src/connect/kits/broker/deduplicator.ts'
import { livePosition, PushReader } from '../../src/connect/kits/broker/push-reader.ts'

const WINDOW = 50

function numbers(count: number, said: string): Source<number> {
  return {
    kind: 'numbers',
    title: 'numbers',
    needsAck: true,
    splits: async () => [{ id: 'numbers' }],
    async open(_split, from, open = {}) {
      const position = livePosition('numbers', from)
      const known = new SequenceDedup(position as { after?: string }, (a, b) => Number(a) - Number(b))
      const reader = new PushReader<number, number>({
        title: 'numbers',
        known,
        idOf: String,
        isAgain: () => false,
        bytesOf: () => 8,
        read: (value, offset) => ({
          kind: 'event',
          value,
          origin: { source: 'numbers', line: 0, offset, raw: `${value}` },
        }),
        limits: { messages: 20, bytes: 1000 },
        count: position.count,
        open,
      })
      let [sent, done] = [0, 0]
      const send = (): void => {
        while (sent < count && sent - done < WINDOW) {
          sent += 1
          reader.push(sent)
        }
        if (sent === count) reader.end()
      }
      reader.attach({
        pause() {},
        resume() {},
        acknowledge(messages) {
          appendFileSync(said, messages.map((message) => `${message}\n`).join(''))
          done += messages.length
          setImmediate(send)
        },
        close: async () => appendFileSync(said, 'closed\n'),
      })
      send()
      return reader
    },
  }
}

export default pipeline('acknowledged', {
  params: {
    out: param.string('out.db'),
    said: param.string('said.txt'),
    count: param.number(100),
    failAt: param.number(0),
  },
  from: ({ count, said }) => numbers(count, said),
  flow: (flow, { failAt }) =>
    flow.map((n) => {
      if (n === failAt) process.kill(process.pid, 'SIGKILL')
      return { n }
    }),
  into: ({ out }) => sqliteSink<{ n: number }>(out, { table: 'numbers' }),
})
