import { ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { WorkTime } from './work-time.ts'

/** Has the thread for so long, in milliseconds. */
function work(ms: number): void {
  const endMs = performance.now() + ms
  while (performance.now() < endMs);
}

/** Measures until nothing has come in between: the system may take the thread away at any moment. */
async function isAbout(expected: number, measure: () => number | Promise<number>): Promise<void> {
  let found = Number.NaN
  for (let attempts = 0; attempts < 30; attempts += 1) {
    found = await measure()
    if (found < expected + 15) break
  }
  ok(found >= expected - 1 && found < expected + 15, `${found} ms, expected about ${expected} ms`)
}

describe('WorkTime', () => {
  it('counts what lies between entering and leaving', async () => {
    await isAbout(10, () => {
      const time = new WorkTime()
      time.enter()
      work(10)
      time.leave()
      work(30)
      return time.ms
    })
  })

  it('counts what is under way', async () => {
    await isAbout(10, () => {
      const time = new WorkTime()
      time.enter()
      work(10)
      return time.ms
    })
  })

  it('counts once what is entered twice', async () => {
    await isAbout(20, () => {
      const time = new WorkTime()
      time.enter()
      time.enter()
      work(10)
      time.leave()
      work(10)
      time.leave()
      return time.ms
    })
  })

  it('counts the wait for a hook, until it goes on', async () => {
    await isAbout(20, () => {
      const time = new WorkTime()
      time.enter()
      time.leave(true)
      work(20)
      time.enter()
      time.leave()
      work(30)
      return time.ms
    })
  })

  it('takes what others of the thread do off a read that waits', async () => {
    await isAbout(0, async () => {
      const [time, other] = [new WorkTime(), new WorkTime()]
      const read = time.through(new Promise<void>((resolve) => setImmediate(resolve)))
      other.enter()
      work(40)
      other.leave()
      await read
      return time.ms
    })
  })
})
