import { ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WorkTime } from './work-time.ts'

/** Has the thread for so long, in milliseconds. */
function work(ms: number): void {
  const endMs = performance.now() + ms
  while (performance.now() < endMs);
}

function isAbout(found: number, expected: number): void {
  ok(found >= expected - 1 && found < expected + 15, `${found} ms, expected about ${expected} ms`)
}

describe('WorkTime', () => {
  it('counts what lies between entering and leaving', () => {
    const time = new WorkTime()
    time.enter()
    work(10)
    time.leave()
    work(30)
    isAbout(time.ms, 10)
  })

  it('counts what is under way', () => {
    const time = new WorkTime()
    time.enter()
    work(10)
    isAbout(time.ms, 10)
  })

  it('counts once what is entered twice', () => {
    const time = new WorkTime()
    time.enter()
    time.enter()
    work(10)
    time.leave()
    work(10)
    time.leave()
    isAbout(time.ms, 20)
  })

  it('counts the wait for a hook, until it goes on', () => {
    const time = new WorkTime()
    time.enter()
    time.leave(true)
    work(20)
    time.enter()
    time.leave()
    work(30)
    isAbout(time.ms, 20)
  })

  it('takes what others of the thread do off a read that waits', async () => {
    const [time, other] = [new WorkTime(), new WorkTime()]
    const read = time.through(new Promise<void>((resolve) => setImmediate(resolve)))
    other.enter()
    work(40)
    other.leave()
    await read
    isAbout(time.ms, 0)
  })
})
