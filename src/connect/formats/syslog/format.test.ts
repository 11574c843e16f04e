import { deepEqual, equal, match, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Rejection } from '../../format.ts'
import { Zone } from '../../kits/time/rules.ts'
import { type SyslogMessage, type SyslogOptions, syslog } from './format.ts'
import { parseSyslog } from './parse.ts'

const origin = { source: 'a.log', line: 1, offset: 0, raw: '' }
const read = (text: string, options: SyslogOptions = { year: 2003 }) => syslog(options).open(() => [])(text, origin)
const message = (text: string, options?: SyslogOptions) => {
  const found = read(text, options)
  ok(!(found instanceof Rejection), found instanceof Rejection ? found.reason : '')
  return found
}
const reason = (text: string, options?: SyslogOptions) => {
  const found = read(text, options)
  ok(found instanceof Rejection, `${text} was taken`)
  return found.reason
}

describe('syslog, RFC 5424', () => {
  it('reads all parts of a message', () => {
    const line =
      '<165>1 2003-08-24T05:14:15.000000-07:00 192.0.2.1 myproc 8710 ID47 [a@1 x="1" y=""][b] \uFEFFIt’s time'
    deepEqual(message(line), {
      facility: 20,
      severity: 5,
      time: Date.UTC(2003, 7, 24, 12, 14, 15),
      host: '192.0.2.1',
      app: 'myproc',
      procId: '8710',
      msgId: 'ID47',
      structuredData: { 'a@1': { x: '1', y: '' }, b: {} },
      text: 'It’s time',
    })
  })

  it('makes null of what is not known, and of no text an empty one', () => {
    deepEqual(message('<0>1 - - - - - -'), {
      facility: 0,
      severity: 0,
      time: null,
      host: null,
      app: null,
      procId: null,
      msgId: null,
      structuredData: null,
      text: '',
    })
  })

  it('undoes escapes in values, and no others', () => {
    const line = String.raw`<34>1 - - - - - [a b="q\"r\\s\]t\n" c="]"] x`
    deepEqual(message(line).structuredData, { a: { b: String.raw`q"r\s]t\n`, c: ']' } })
  })

  it('keeps all values of a parameter that comes several times', () => {
    deepEqual(message('<34>1 - - - - - [origin ip="a" ip="b" ip="c"]').structuredData, {
      origin: { ip: ['a', 'b', 'c'] },
    })
  })

  it('S7: takes __proto__ for a name like any other', () => {
    const { structuredData } = message('<34>1 - - - - - [__proto__ __proto__="x" polluted="y"]')
    equal(JSON.stringify(structuredData), '{"__proto__":{"__proto__":"x","polluted":"y"}}')
    equal(({} as { polluted?: string }).polluted, undefined)
  })

  const refused: [string, string][] = [
    ['<192>1 - - - - - -', 'priority is over 191: found "192>1" at column 2'],
    ['<34>1 - - - -', 'nothing after procId: the line ends at column 14'],
    ['<34>1 -  - - - -', 'no host: found " -" at column 9'],
    ['<34>1 2003-02-29T00:00:00Z - - - - -', 'time: no such day: found "2003-02-29T00:00:00Z" at column 7'],
    ['<34>1 - - - - - x', 'structured data is neither - nor an element: found "x" at column 17'],
    ['<34>1 - - - - - -x', 'no space after structured data: found "x" at column 18'],
    ['<34>1 - - - - - [a b="c]', 'no quote at the end of a value: the line ends at column 25'],
    ['<34>1 - - - - - [a b=c]', 'no =" after the name of a parameter: found "=c]" at column 21'],
    ['<34>1 - - - - - [a b="c"', 'no ] after structured data: the line ends at column 25'],
    ['<34>1 - - - - - [ b="c"]', 'an element of structured data has no name: found " b="c"]" at column 18'],
    ['<34>1 - - - - - [a][a]', 'an element of structured data comes twice: found "a]" at column 21'],
  ]
  for (const [line, expected] of refused) it(`refuses ${line}`, () => equal(reason(line), expected))
})

describe('syslog, RFC 3164', () => {
  const at = Date.UTC(2003, 9, 11, 22, 14, 15)
  const cases: [string, Partial<SyslogMessage>][] = [
    [
      "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
      { facility: 4, severity: 2, time: at, host: 'mymachine', app: 'su', procId: null, text: "'su root' failed" },
    ],
    ['Oct 11 22:14:15 box sshd[812]: bye', { facility: null, time: at, host: 'box', app: 'sshd', procId: '812' }],
    ['Oct 11 22:14:15 box postfix/smtpd[8]: a: b', { app: 'postfix/smtpd', procId: '8', text: 'a: b' }],
    ['<13>Oct 11 22:14:15 su: no host', { host: null, app: 'su', text: 'no host' }],
    ['<13>Oct 11 22:14:15 fe80::1 plain words', { host: 'fe80::1', app: null, text: 'plain words' }],
    ['<13>Oct 11 22:14:15.250: box app: x', { time: at + 250, host: 'box', app: 'app', text: 'x' }],
    ['<13>Oct  1 00:00:00 box x', { time: Date.UTC(2003, 9, 1), host: 'box', text: 'x' }],
    ['2003-10-11T22:14:15.123000+02:00 box cron[1]: x', { time: at - 7_200_000 + 123, host: 'box', app: 'cron' }],
    ['<13>su: no time', { time: null, host: null, app: 'su', text: 'no time' }],
    ['<13>1 thing happened', { time: null, app: null, text: '1 thing happened' }],
    ['<13>', { facility: 1, severity: 5, text: '' }],
    ['Oct 11 22:14:15', { time: at, host: null, text: '' }],
  ]
  for (const [line, expected] of cases) {
    it(`reads ${JSON.stringify(line)}`, () => {
      const found = message(line)
      deepEqual(
        Object.fromEntries(Object.keys(expected).map((key) => [key, found[key as keyof SyslogMessage]])),
        expected,
      )
    })
  }

  for (const [line, expected] of [
    ['<13>Feb 29 00:00:00 box no such day', 'time: no such day: found "Feb" at column 5'],
    ['Oct 32 22:14:15 box app: x', 'time: no such day: found "Oct" at column 1'],
    ['<13>Oct 11 24:00:00 box app: x', 'time: an hour over 23: found "Oct" at column 5'],
    ['<13>Oct 11 23:59:60 box app: x', 'time: a second over 59: found "Oct" at column 5'],
    ['<13>Foo 11 22:14:15 box app: x', 'time: no such month: found "Foo" at column 5'],
    ['<13>2003-02-30T22:14:15Z box app: x', 'time: no such day: found "2003-02-30T22:14:15Z" at column 5'],
    [
      '<13>2003/10/11 22:14:15 box app: x',
      'time: not a time such as 2024-02-29T23:59:59.999Z: found "2003/10/11" at column 5',
    ],
    ['<13>Oct 11 2003 22:14:15 asa: x', 'time: not a time such as 2024-02-29T23:59:59.999Z: found "Oct" at column 5'],
    ['<13>oct 11 22:14:15 box app: x', 'time: not a time such as 2024-02-29T23:59:59.999Z: found "oct" at column 5'],
    [
      '<34>1 11/10/2003T22:14:15Z mail su - - - x',
      'time: not a time such as 2024-02-29T23:59:59.999Z: found "11/10/2003T22:14:15Z" at column 7',
    ],
  ] as const) {
    it(`X1, X7: refuses ${JSON.stringify(line)}`, () => equal(reason(line), expected))
  }

  it('X2: cuts off what is finer than a millisecond, or rejects it on request', () => {
    for (const line of [
      '<13>1 2003-10-11T22:14:15.000001Z box app - - - x',
      '<13>Oct 11 22:14:15.000001 box app: x',
      '2003-10-11T22:14:15.000001Z box app: x',
    ]) {
      equal(message(line, { year: 2003 }).time, at)
      match(reason(line, { subMilliseconds: 'reject' }), /digits finer than a millisecond.*subMilliseconds: 'truncate'/)
    }
  })

  it('refuses what has neither priority nor time', () => {
    equal(reason('hello world'), 'neither a priority nor a time: found "hello" at column 1')
  })

  const utc = { zone: new Zone('UTC'), isCutOff: false, year: undefined }
  const timeOf = (text: string, nowMs: number) => {
    const found = parseSyslog(text, utc, nowMs)
    return found instanceof Rejection || found.time === null ? undefined : new Date(found.time).toISOString()
  }

  it('takes a time without a year for the last one that is not more than a day ahead', () => {
    const nowMs = Date.UTC(2024, 11, 31, 12)
    equal(timeOf('Dec 31 11:59:59 a b', nowMs), '2024-12-31T11:59:59.000Z')
    equal(timeOf('Jan  1 11:59:59 a b', nowMs), '2025-01-01T11:59:59.000Z')
    equal(timeOf('Jan  1 12:00:01 a b', nowMs), '2024-01-01T12:00:01.000Z')
    equal(timeOf('Feb 29 00:00:00 a b', Date.UTC(2104, 1, 1)), '2096-02-29T00:00:00.000Z')
  })

  it('takes a time without a zone for one of its zone, also as clocks are set', () => {
    const zone = new Zone('Europe/Berlin')
    const utcOf = (...[month, day, hour, minute]: [number, number, number, number]) =>
      new Date(zone.epochMs(Date.UTC(2024, month - 1, day, hour, minute))).toISOString().slice(5, 16)
    equal(utcOf(1, 15, 12, 0), '01-15T11:00')
    equal(utcOf(7, 15, 12, 0), '07-15T10:00')
    equal(utcOf(3, 31, 1, 59), '03-31T00:59')
    equal(utcOf(3, 31, 2, 30), '03-31T01:30')
    equal(utcOf(3, 31, 3, 0), '03-31T01:00')
    equal(utcOf(10, 27, 1, 59), '10-26T23:59')
    equal(utcOf(10, 27, 2, 30), '10-27T00:30')
    equal(utcOf(10, 27, 3, 0), '10-27T02:00')
  })

  it('takes every time of any zone for the one that it was', () => {
    const names = ['America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Chatham', 'America/St_Johns']
    const day = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2030, 0, 1) })
    fc.assert(
      fc.property(fc.constantFrom(...names), day, (name, epochMs) => {
        const shown = new Intl.DateTimeFormat('sv-SE', { timeZone: name, dateStyle: 'short', timeStyle: 'medium' })
        const local = shown.format(epochMs)
        const found = new Zone(name).epochMs(Date.parse(`${local.replace(' ', 'T')}Z`))
        equal(shown.format(found), local)
      }),
    )
  })

  it('refuses zones and years that there are not', () => {
    throws(() => syslog({ timeZone: 'Mars/Olympus' }), /^RangeError: timeZone must be one such as Europe\/Berlin/)
    throws(() => syslog({ year: 0 }), /^RangeError: year must be an integer, from 1 to 9999/)
    throws(() => syslog({ zone: 'UTC' } as never), /^TypeError: syslog has no option zone/)
  })
})

describe('syslog, whatever comes', () => {
  const piece = fc.constantFrom(
    ...['<34>', '<', '>', '1 ', '- ', '-', '[', ']', 'a', '=', '"', '\\', ' ', ':', '\0', '\n', '\uD800', '999'],
    ...['Oct 11 22:14:15 ', '2003-10-11T22:14:15Z ', 'Feb 30 99:99:99', '\uFEFF', '__proto__', 'ä'],
  )

  it('never throws, and loses nothing of a text with a priority alone', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join('')
        const found = read(text)
        ok(found instanceof Rejection || typeof found.text === 'string')
        const whole = read(`<13>~${text}`)
        ok(!(whole instanceof Rejection))
        const tag = whole.app === null ? '' : `${whole.app}${whole.procId === null ? '' : `[${whole.procId}`}`
        ok(`~${text}`.startsWith(tag) && `~${text}`.endsWith(whole.text))
      }),
    )
  })

  it('gives back what was written as RFC 5424 says', () => {
    const word = fc.stringMatching(/^[!#-<>-Z^-~]{1,12}$/).filter((one) => one !== '-')
    const data = fc.dictionary(word, fc.dictionary(word, fc.string(), { maxKeys: 3 }), { minKeys: 1, maxKeys: 3 })
    fc.assert(
      fc.property(word, word, data, fc.string(), (host, app, structuredData, text) => {
        const escaped = (value: string) => value.replace(/["\\\]]/g, '\\$&')
        const elements = Object.entries(structuredData).map(([id, parameters]) => {
          const all = Object.entries(parameters).map(([name, value]) => ` ${name}="${escaped(value)}"`)
          return `[${id}${all.join('')}]`
        })
        const found = message(`<9>1 - ${host} ${app} - - ${elements.join('')} \uFEFF${text}`)
        deepEqual(
          [found.host, found.app, JSON.stringify(found.structuredData), found.text],
          [host, app, JSON.stringify(structuredData), text],
        )
      }),
    )
  })

  it('S4: takes time in proportion to the length', () => {
    const hostile = [
      `<34>1 - - - - - ${'[a b="c"]'.repeat(20_000)}`,
      `<34>1 - - - - - [a ${'b="c" '.repeat(30_000)}`,
      `<34>1 - - - - - [a b="${'\\'.repeat(200_000)}`,
      `<34>Oct 11 22:14:15 ${'a['.repeat(100_000)}`,
      `<34>${'Oct 11 22:14:15 '.repeat(12_000)}`,
      `<34>1 - - - - - ${Array.from({ length: 20_000 }, (_, n) => `[${n}]`).join('')}`,
    ]
    const startMs = performance.now()
    for (const text of hostile) read(text)
    ok(performance.now() - startMs < 2000)
  })
})
