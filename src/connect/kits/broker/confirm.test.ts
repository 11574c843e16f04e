import { deepEqual, equal, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '../../../base/clock.ts'
import { SluiceError } from '../../../base/errors.ts'
import { answered, answerMs, brokerError } from './confirm.ts'

/** A clock whose waits are over when somebody says so. */
function stopped(): { readonly clock: Clock; readonly waits: number[]; readonly ring: () => void } {
  const waits: number[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const sleep = async (ms: number): Promise<void> => {
    waits.push(ms)
    await promise
  }
  return { clock: { nowMs: () => 0, wallMs: () => 0, sleep }, waits, ring: resolve }
}

describe('answered', () => {
  it('gives what is answered in time', async () => {
    equal(await answered(Promise.resolve(7), { sizeBytes: 0, signal: undefined }), 7)
  })

  it('fails as the broker does', async () => {
    const reason = new Error('no')
    await rejects(answered(Promise.reject(reason), { sizeBytes: 0, signal: undefined }), reason)
  })

  it('waits longer for what is large, and not for ever', async () => {
    const { clock, waits, ring } = stopped()
    const waiting = answered(new Promise(() => {}), { sizeBytes: 4_000_000, signal: undefined, clock })
    ring()
    await rejects(waiting, { message: 'the broker has not answered for 430 s' })
    deepEqual(waits, [430_000])
    deepEqual([answerMs(0), answerMs(1)], [30_000, 30_001])
  })

  it('ends with the signal, whether that is aborted before or meanwhile', async () => {
    const reason = new Error('stopped')
    const never = new Promise(() => {})
    await rejects(answered(never, { sizeBytes: 0, signal: AbortSignal.abort(reason) }), reason)
    const stop = new AbortController()
    const waiting = answered(never, { sizeBytes: 0, signal: stop.signal })
    stop.abort(reason)
    await rejects(waiting, reason)
  })
})

describe('brokerError', () => {
  const place = { act: 'send messages to', sink: 'nats://host:4222' }

  it('is a sink that was lost where trying again may help, else one that cannot be reached', () => {
    const error = new Error('it broke')
    const lost = brokerError(error, { ...place, mayPass: true })
    deepEqual([lost.code, lost.message], ['SINK_LOST', 'Cannot send messages to nats://host:4222: it broke'])
    deepEqual(lost.details, { sink: 'nats://host:4222', reason: 'it broke' })
    equal(brokerError(error, { ...place, mayPass: false }).code, 'SINK_UNREACHABLE')
  })

  it('leaves an error that callers can act on as it is', () => {
    const error = new SluiceError('CONFIG_INVALID', 'x', { key: 'qos', value: 2, allowed: '0 or 1' })
    equal(brokerError(error, { ...place, mayPass: true }), error)
  })
})
