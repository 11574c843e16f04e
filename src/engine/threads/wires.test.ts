import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { StageCore } from '../../stage/core.ts'
import { Channels } from './channels.ts'
import type { ChannelMessage } from './message.ts'

/** What a sender says of its end. */
async function lastWords(end: (sender: StageCore) => void): Promise<string[]> {
  const sent: ChannelMessage[] = []
  const sender = new Channels({ postMessage: (wire) => void sent.push(wire) }, () => {}).sender('a')
  end(sender)
  await sender.settled
  return sent.map(({ kind }) => kind)
}

describe('channels between threads', () => {
  it('D144: end on the other side when all was sent, not when they are cut off', async () => {
    deepEqual(await lastWords((sender) => sender.cancel(new Error('another stage failed'))), [])
    deepEqual(await lastWords((sender) => sender.complete()), ['end'])
  })
})
