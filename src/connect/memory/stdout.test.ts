import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, it } from 'node:test'
import { isSluiceError } from '../../base/errors.ts'
import { type Batch, batchOf } from '../batch.ts'
import { stdoutSink } from './stdout.ts'

function events(...values: unknown[]): Batch {
  return batchOf(values, {
    at: (at) => ({ source: 'a.log', line: 0, offset: at >> 1, raw: '', part: at & 1, stride: 2 }),
  })
}

/** An output that keeps what it is given, and takes it when `free` says so. */
function output(free: Promise<void> = Promise.resolve(), error?: Error): { out: Writable; texts: string[] } {
  const texts: string[] = []
  const out = new Writable({
    decodeStrings: false,
    write: (text, _encoding, done) => {
      texts.push(String(text))
      void free.then(() => done(error))
    },
  })
  return { out, texts }
}

const opening = { pipeline: 'p', note: undefined, epoch: 0 }

describe('stdout', () => {
  it('writes a line of JSON for each row, with the place of its record', async () => {
    const { out, texts } = output()
    const writer = await stdoutSink<unknown>(undefined, { output: out }).open(opening)
    deepEqual(await writer.write(events({ id: 1 }, { id: 2 }, 'x')), [])
    equal(
      texts.join(''),
      '{"_source":"a.log","_offset":0,"_part":0,"id":1}\n' +
        '{"_source":"a.log","_offset":0,"_part":1,"id":2}\n' +
        '{"_source":"a.log","_offset":1,"_part":0,"value":"x"}\n',
    )
  })

  it('writes rows as they are, or as it is told', async () => {
    const { out, texts } = output()
    await (await stdoutSink<unknown>(undefined, { output: out, identity: false }).open(opening)).write(
      events({ id: 1 }),
    )
    const own = stdoutSink<unknown>((row, { _offset, _part }) => `${row} ${_offset}.${_part}`, { output: out })
    await (await own.open(opening)).write(events('a', 'b'))
    deepEqual(texts, ['{"id":1}\n', 'a 0.0\nb 0.1\n'])
  })

  it('makes dead letters of rows without a line, and writes the others', async () => {
    const { out, texts } = output()
    const lineOf = (row: unknown): string => {
      if (row === 'bad') throw new Error('bad row')
      return row as string
    }
    const writer = await stdoutSink<unknown>(lineOf, { output: out }).open(opening)
    const letters = await writer.write(events('a', 'bad', 5, 'two\nlines', 'b'))
    deepEqual(
      letters.map(({ step, reason }) => [step, reason]),
      [
        ['stdout', 'bad row'],
        ['stdout', 'a line is a text: found 5'],
        ['stdout', 'a line must not contain a line end'],
      ],
    )
    deepEqual(texts, ['a\nb\n'])
  })

  it('waits until the output has taken a batch', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { out } = output(promise)
    const writer = await stdoutSink<unknown>(undefined, { output: out }).open(opening)
    let isDone = false
    const written = Promise.resolve(writer.write(events(1))).then(() => {
      isDone = true
    })
    await new Promise((turn) => setImmediate(turn))
    equal(isDone, false)
    resolve()
    await written
  })

  it('stops waiting when it is aborted', async () => {
    const stop = new AbortController()
    const { out } = output(new Promise(() => {}))
    const writer = await stdoutSink<unknown>(undefined, { output: out }).open({ ...opening, signal: stop.signal })
    const written = writer.write(events(1))
    const reason = new Error('enough')
    stop.abort(reason)
    await rejects(async () => await written, reason)
  })

  it('says that the output was closed, now and at every later call', async () => {
    const error = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
    const { out } = output(undefined, error)
    const writer = await stdoutSink<unknown>(undefined, { output: out }).open(opening)
    const isClosed = (thrown: unknown) => isSluiceError(thrown, 'OUTPUT_CLOSED')
    await rejects(async () => await writer.write(events(1)), isClosed)
    await rejects(async () => await writer.write(events(2)), isClosed)
    throws(() => writer.prepare(1), isClosed)
    await writer.close()
  })

  it('says what else the output fails with', async () => {
    const error = Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    const { out } = output(undefined, error)
    const writer = await stdoutSink<unknown>(undefined, { output: out }).open(opening)
    await rejects(
      async () => await writer.write(events(1)),
      (thrown) => {
        ok(isSluiceError(thrown, 'STORAGE_FAILED'))
        equal(thrown.details.errno, 'ENOSPC')
        return true
      },
    )
  })

  it('leaves no listener behind', async () => {
    const { out } = output()
    const writer = await stdoutSink<unknown>(undefined, { output: out }).open(opening)
    await writer.close()
    await new Promise((turn) => setImmediate(turn))
    equal(out.listenerCount('error'), 0)
  })
})
