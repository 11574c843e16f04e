import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSluiceError } from '../../../base/errors.ts'
import { atRest, ManualClock } from '../../../testing/manual-clock.ts'
import { idempotencyKey } from '../../http-api/requests/writer.ts'
import { Address } from './address.ts'
import { Pacer } from './pacer.ts'
import { reasonOf } from './request.ts'
import { retryAfterMs } from './retry-after.ts'

describe('Address', () => {
  it('S14: shows scheme, host and port, and nothing else', () => {
    const address = new Address('http', 'https://ann:p%40ss@example.com:8443/hook/T0K3N?key=s3cret#x')
    equal(address.shown, 'https://example.com:8443')
    equal(address.url, 'https://example.com:8443/hook/T0K3N?key=s3cret')
  })

  it('sends user and password as a header, unless there is one', async () => {
    const address = new Address('http', 'http://ann:p%40ss%zz@x/')
    const sent = (await address.headers()).get('authorization') as string
    equal(Buffer.from(sent.slice(6), 'base64').toString(), 'ann:p%40ss%zz')
    const own = new Address('http', 'http://ann:p@x/', { Authorization: 'Bearer mine' })
    equal((await own.headers()).get('authorization'), 'Bearer mine')
  })

  it('R50: sends a header as often as it has texts, and hides each of them', async () => {
    const address = new Address('http', 'http://x/', { 'x-tag': ['first tag', 'second tag'], 'x-one': 'one' })
    deepEqual(
      [...(await address.headers())],
      [
        ['x-one', 'one'],
        ['x-tag', 'first tag, second tag'],
      ],
    )
    equal(address.withoutSecrets('first tag second tag'), '*** ***')
  })

  it('S14: takes what it has sent out of what a server gives back', async () => {
    const address = new Address('http', 'http://ann:p%40ssword@x/?key=s3cretkey', { Authorization: 'Bearer t0ken99' })
    await address.headers()
    equal(
      address.withoutSecrets('you sent p@ssword, p%40ssword, s3cretkey and Bearer t0ken99 or t0ken99'),
      'you sent ***, ***, *** and *** or ***',
    )
  })

  it('S14: refuses what cannot be used without showing it', () => {
    const bad: [unknown, unknown?][] = [
      ['ftp://ann:hunter2@x'],
      ['http://ann:hunter2@'],
      ['hunter2'],
      ['http://x', { 'x-key': 'hunter2\nx' }],
      ['http://x', { 'b d': 'hunter2' }],
      ['http://x', { 'x-key': ['fine', 'hunter2\nx'] }],
      ['http://x', { 'x-key': { secret: 'hunter2' } }],
    ]
    for (const [url, headers] of bad) {
      throws(
        () => new Address('http', url as string, headers as Record<string, string>),
        (error) =>
          isSluiceError(error, 'CONFIG_INVALID') && !JSON.stringify([error.message, error.details]).includes('hunter2'),
      )
    }
    throws(() => new Address('http', 5 as never), /found 5/)
  })

  it('asks for headers before each attempt', async () => {
    let n = 0
    const address = new Address('http', 'http://x', async () => {
      n += 1
      return { 'x-n': String(n) }
    })
    deepEqual([(await address.headers()).get('x-n'), (await address.headers()).get('x-n')], ['1', '2'])
  })
})

describe('retryAfterMs', () => {
  const cases: [string | null, number | undefined][] = [
    ['0', 0],
    ['120', 120_000],
    [' 3 ', 3000],
    ['Thu, 01 Jan 1970 00:00:30 GMT', 20_000],
    ['Thu, 01 Jan 1970 00:00:05 GMT', 0],
    ['-1', undefined],
    ['1e9', undefined],
    ['99999999999', undefined],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
  ]
  for (const [header, expected] of cases) {
    it(`makes ${expected} of ${JSON.stringify(header)}`, () => equal(retryAfterMs(header, 10_000), expected))
  }
})

describe('idempotencyKey', () => {
  it('S23: is another one where the same text is joined differently', () => {
    const keys = [['a', 'bc'], ['ab', 'c'], ['abc'], ['abc', ''], ['', 'abc'], ['a', 'b', 'c']].map((parts) =>
      idempotencyKey(...parts),
    )
    equal(new Set(keys).size, keys.length)
  })

  it('is the SHA-256 of the parts, each behind its length in 8 bytes', () => {
    equal(idempotencyKey('a', 'bc'), '3fafa1cf2f19a7c1129beb20cf0983f73a489a221fc0dd2f16d1be292d089205')
  })
})

describe('Pacer', () => {
  /** Starts `count` turns, and writes down when each comes. */
  const turns = (pacer: Pacer, clock: ManualClock, count: number): number[] => {
    const at: number[] = []
    for (let n = 0; n < count; n += 1) void pacer.turn(undefined).then(() => at.push(clock.nowMs()))
    return at
  }

  it('S24: lets one request a second go to a server that does not answer', async () => {
    const clock = new ManualClock()
    const pacer = new Pacer(clock)
    const at = turns(pacer, clock, 4)
    await clock.advance(3500)
    deepEqual(at, [0, 1000, 2000, 3000])
  })

  it('lets all go at once when the first has come through', async () => {
    const clock = new ManualClock()
    const pacer = new Pacer(clock)
    const at = turns(pacer, clock, 4)
    await clock.advance(20)
    pacer.succeeded()
    await atRest()
    deepEqual(at, [0, 20, 20, 20])
    equal(clock.sleepers, 0)
  })

  it('holds all back for as long as the server asks for', async () => {
    const clock = new ManualClock()
    const pacer = new Pacer(clock)
    await pacer.turn(undefined)
    pacer.succeeded()
    pacer.failed(5000)
    const at = turns(pacer, clock, 2)
    await clock.advance(7000)
    deepEqual(at, [5000, 6000])
  })

  it('ends a wait that is aborted', async () => {
    const clock = new ManualClock()
    const pacer = new Pacer(clock)
    await pacer.turn(undefined)
    const stop = new AbortController()
    const waiting = pacer.turn(stop.signal)
    const reason = new Error('enough')
    stop.abort(reason)
    await rejects(waiting, reason)
    await rejects(pacer.turn(stop.signal), reason)
    ok(clock.sleepers === 0)
  })
})

describe('reasonOf', () => {
  it('says what the connections to all addresses of a name failed with', () => {
    const all = new AggregateError([new Error('refused at ::1'), new Error('refused at 127.0.0.1')])
    equal(reasonOf(all), 'refused at ::1, refused at 127.0.0.1')
    equal(reasonOf(new TypeError('fetch failed', { cause: all })), 'refused at ::1, refused at 127.0.0.1')
  })

  it('says what stands behind a failed fetch', () => {
    equal(reasonOf(new TypeError('fetch failed', { cause: new Error('other side closed') })), 'other side closed')
    equal(reasonOf(new Error('no answer')), 'no answer')
  })
})
