import { deepEqual, equal, rejects } from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Reconnecting } from './reconnecting.ts'

interface Connection {
  readonly number: number
  readonly breaks: (reason: string) => void
}

describe('Reconnecting', () => {
  const opened: Reconnecting<Connection>[] = []
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close()
  })

  /** Makes connections numbered from 1; each is handed to `onMade` before it is given. */
  const supervising = async (onMade: (connection: Connection) => unknown = () => {}) => {
    const [made, closed, notes]: [Connection[], number[], string[]] = [[], [], []]
    const reconnecting = await Reconnecting.open<Connection>(
      {
        title: 'a server',
        async connect(_signal, onLost) {
          const connection = { number: made.length + 1, breaks: (reason: string) => onLost(new Error(reason)) }
          made.push(connection)
          await onMade(connection)
          return connection
        },
        close: async ({ number }) => void closed.push(number),
        mayPass: (error) => (error as Error).message !== 'refused',
        retryMs: 5000,
        onNote: (note) => notes.push(note),
        onFailure: (error) => notes.push(`failed: ${(error as Error).message}`),
        // It waits for nothing.
        clock: { nowMs: () => 0, wallMs: () => 0, sleep: async () => {} },
      },
      undefined,
    )
    opened.push(reconnecting)
    return { reconnecting, standing: () => reconnecting.current?.number, made, closed, notes }
  }
  const AGAIN = ['the connection to a server broke (gone): reconnecting', 'reconnected to a server']

  it('makes another connection when one breaks, and says so', async () => {
    const { standing, made, notes } = await supervising()
    made[0]?.breaks('gone')
    equal(standing(), undefined)
    await setImmediate()
    equal(standing(), 2)
    deepEqual(notes, AGAIN)
  })

  it('does not take a connection that broke before it was given', async () => {
    const { standing, closed } = await supervising(({ number, breaks }) => number === 1 && breaks('gone'))
    equal(standing(), 2)
    deepEqual(closed, [1])
  })

  it('does not take one either when it connects again', async () => {
    const { standing, made, closed } = await supervising(({ number, breaks }) => number === 2 && breaks('gone'))
    made[0]?.breaks('gone')
    await setImmediate()
    equal(standing(), 3)
    deepEqual(closed, [2])
  })

  it('says at once what a connection broke with before it was given, if trying again changes nothing', async () => {
    await rejects(
      supervising(({ breaks }) => breaks('refused')),
      /refused/,
    )
  })

  it('keeps a connection when an earlier one breaks a second time', async () => {
    const { standing, made, notes } = await supervising()
    made[0]?.breaks('gone')
    await setImmediate()
    made[0]?.breaks('gone')
    equal(standing(), 2)
    deepEqual(notes, AGAIN)
  })

  it('connects again when a connection breaks in the turn in which it was made', async () => {
    const { standing, made } = await supervising(({ number, breaks }) => {
      // In some later turn of the promises, while others are still being notified.
      if (number !== 2) return
      let turns = Promise.resolve()
      for (let turn = 0; turn < 5; turn += 1) turns = turns.then(() => {})
      void turns.then(() => breaks('gone'))
    })
    made[0]?.breaks('gone')
    await setImmediate()
    equal(standing(), 3)
  })

  it('closes the connection that stands', async () => {
    const { reconnecting, closed } = await supervising()
    await reconnecting.close()
    await reconnecting.close()
    deepEqual(closed, [1])
  })
})
