import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { times } from '../../../testing/times.ts'
import { Rejection } from '../../format.ts'
import { ACCESS_COLUMNS, type AccessLogOptions, accessLog } from './format.ts'

const COMMON = '203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /a?b=1 HTTP/1.1" 200 512'
const COMBINED = `${COMMON} "http://example.org/" "curl/8.5.0"`

function originOf(raw: string) {
  return { source: 'logs/a.log', line: 7, offset: 812, raw }
}

/** What becomes of a line in a file that begins with `head`: the request, or why it was rejected. */
function read(text: string, options: AccessLogOptions = {}, head: readonly string[] = [COMBINED]) {
  const result = accessLog(options).open(() => head)(text, originOf(text))
  return result instanceof Rejection ? result.reason : result
}

function accepted(text: string, options?: AccessLogOptions, head?: readonly string[]) {
  const result = read(text, options, head)
  if (typeof result === 'string') throw new Error(`refused: ${result}`)
  return result
}

/** A combined line with another request. */
function withRequest(request: string): string {
  return COMBINED.replace('GET /a?b=1 HTTP/1.1', () => request)
}

describe('accessLog', () => {
  it('reads every field of a combined line', () => {
    const line =
      '::1 id ada [17/May/2015:10:05:03 +0200] "GET /a%20b?c=1 HTTP/1.1" 404 12 "-" "x \\"y\\" z" "1.2.3.4" "0.5"'
    deepEqual(accepted(line), {
      file: 'logs/a.log',
      line: 7,
      offset: 812,
      host: '::1',
      ident: 'id',
      user: 'ada',
      time: Date.UTC(2015, 4, 17, 8, 5, 3),
      request: 'GET /a%20b?c=1 HTTP/1.1',
      method: 'GET',
      path: '/a%20b',
      protocol: 'HTTP/1.1',
      status: 404,
      bytes: 12,
      referer: '-',
      agent: 'x \\"y\\" z',
      extra: ['1.2.3.4', '0.5'],
    })
  })

  it('gives fields in the order of its columns', () => {
    deepEqual(Object.keys(accepted(COMBINED)), Object.keys(ACCESS_COLUMNS))
  })

  it('has null for what the log does not have', () => {
    const request = accepted(COMMON.replace('512', '-'), { dialect: 'common' })
    deepEqual([request.bytes, request.referer, request.agent, request.extra], [null, null, null, null])
    deepEqual([request.ident, request.user], ['-', '-'])
    equal(accepted(COMBINED).extra, null)
  })

  it('takes trailing spaces, and nothing else behind the last field', () => {
    equal(accepted(`${COMBINED}   `).agent, 'curl/8.5.0')
    equal(accepted(`${COMMON}  `, { dialect: 'common' }).bytes, 512)
    deepEqual(accepted(`${COMBINED} "a" "" `).extra, ['a', ''])
    const at = COMBINED.length + 1
    equal(read(`${COMBINED}\t`), `neither a quoted field nor the end after the agent: found "\\x09" at column ${at}`)
    equal(
      read(`${COMBINED}  "a"`),
      `neither a quoted field nor the end after the agent: found ""a"" at column ${at + 2}`,
    )
  })

  it('lets a backslash escape what is behind it, in quotes', () => {
    equal(accepted(withRequest('GET /\\"x\\\\ HTTP/1.1')).path, '/\\"x\\\\')
    equal(accepted(withRequest('\\\\')).request, '\\\\')
    equal(read(withRequest('\\')), 'no space after the request: found "http://example.org/"" at column 59')
  })

  it('says which part is missing or wrong, and where', () => {
    equal(read(''), 'no host: the line ends at column 1')
    equal(read(' a'), 'no host: found " a" at column 1')
    equal(read('{"status":200}'), 'no space after the host: the line ends at column 15')
    equal(read('a\tb - ['), 'no space after the host: found "\\x09b" at column 2')
    equal(read('a  b'), 'no ident: found " b" at column 3')
    equal(read('a b  c'), 'no user: found " c" at column 5')
    equal(read(COMBINED.replace('- - [', '- jane doe [')), 'no [ before the time: found "doe" at column 20')
    equal(read(COMBINED.replace('+0000]', '+0000')), 'no ] after the time: found " "GET" at column 44')
    equal(read(COMBINED.replace('] "', ']  "')), 'no " before the request: found " "GET" at column 46')
    equal(read(COMBINED.replace('] "', ']x"')), 'no space before the request: found "x"GET" at column 45')
    equal(read(COMBINED.replace('17/May', '31/Feb')), 'time has no such day: found "31/Feb/2015:10:05:03" at column 18')
    equal(read(COMBINED.replace('" 200', '"200')), 'no space after the request: found "200" at column 67')
    equal(read(COMBINED.replace(' 200 ', ' 20O ')), 'status is not three digits: found "20O" at column 68')
    equal(read(COMBINED.replace(' 200 ', ' 2000 ')), 'status is not three digits: found "2000" at column 68')
    equal(read(COMBINED.replace(' 512 ', ' 5x2 ')), 'bytes are neither a number nor -: found "5x2" at column 72')
    equal(
      read(COMBINED.replace(' 512 ', '  ')),
      'bytes are neither a number nor -: found " "http://example.org/"" at column 72',
    )
    equal(
      read(COMBINED.replace(' "http', ' http')),
      'no " before the referer: found "http://example.org/"" at column 76',
    )
    equal(read(COMBINED.replace('/" "curl', '/"curl')), 'no space before the agent: found "curl/8.5.0"" at column 97')
    equal(
      read(COMBINED.slice(0, -1)),
      'no closing " of the agent that begins at column 99: the line ends at column 109',
    )
    equal(read(`\0${COMBINED}`).toString().startsWith('host begins with a NUL byte'), true)
  })

  it('refuses two lines that were joined, and a bare quote in the agent', () => {
    equal(typeof read(COMBINED + COMBINED), 'string')
    equal(typeof read(COMBINED.replace('curl/8.5.0', 'He said "hi" ok')), 'string')
  })

  it('refuses a number of bytes that a JavaScript number cannot hold', () => {
    equal(accepted(COMBINED.replace(' 512 ', ' 9007199254740991 ')).bytes, 9007199254740991)
    equal(
      read(COMBINED.replace(' 512 ', ' 9007199254740992 ')),
      'bytes are over 2^53 - 1: found "9007199254740992" at column 72',
    )
    equal(
      read(COMBINED.replace(' 512 ', ` ${'9'.repeat(400)} `)),
      `bytes are over 2^53 - 1: found "${'9'.repeat(60)}…" at column 72`,
    )
    equal(accepted(COMBINED.replace(' 512 ', ' 007 ')).bytes, 7)
  })

  it('shows no control character of a hostile line', () => {
    equal(read(COMBINED.replace(' 200 ', ' \u001b[2J ')), 'status is not three digits: found "\\x1b[2J" at column 68')
  })

  it('refuses an option that it does not have', () => {
    throws(() => accessLog({ dialect: 'iis' as 'any' }), RangeError)
    throws(() => accessLog({ dialekt: 'any' } as AccessLogOptions), TypeError)
  })
})

describe('the request of an access log', () => {
  const partsOf = (request: string) => {
    const { method, path, protocol } = accepted(withRequest(request))
    return [method, path, protocol]
  }

  it('is cut into method, path and protocol', () => {
    deepEqual(partsOf('GET / HTTP/1.1'), ['GET', '/', 'HTTP/1.1'])
    deepEqual(partsOf('GET /a?b?c HTTP/2'), ['GET', '/a', 'HTTP/2'])
    deepEqual(partsOf('M-SEARCH * HTTP/1.1'), ['M-SEARCH', '*', 'HTTP/1.1'])
    deepEqual(partsOf('OPTIONS rtsp://h/x RTSP/1.0'), ['OPTIONS', 'rtsp://h/x', 'RTSP/1.0'])
    deepEqual(partsOf('GET http://h/a?b HTTP/1.0'), ['GET', 'http://h/a', 'HTTP/1.0'])
    deepEqual(partsOf('GET ?b HTTP/1.0'), ['GET', '', 'HTTP/1.0'])
  })

  it('may have spaces in its path', () => {
    deepEqual(partsOf('GET /a file with spaces.txt HTTP/1.1'), ['GET', '/a file with spaces.txt', 'HTTP/1.1'])
  })

  it('may lack a protocol where the target is a path', () => {
    deepEqual(partsOf('GET /'), ['GET', '/', null])
    deepEqual(partsOf('GET /a HTTP/x'), ['GET', '/a HTTP/x', null])
    deepEqual(partsOf('GET /A/1'), ['GET', '/A/1', null])
  })

  it('has no parts where it has not that form', () => {
    for (const request of [
      '-',
      '',
      'HELP',
      'HELP me',
      'get / HTTP/1.1',
      '\\x16\\x03\\x01',
      'GET',
      'GET ',
      'GET  HTTP/1.1',
      '1GET / HTTP/1.1',
    ]) {
      deepEqual(partsOf(request), [null, null, null], request)
      equal(accepted(withRequest(request)).request, request)
    }
  })
})

describe('the dialect of an access log', () => {
  const torn = 'no referer and agent: the file is in the combined format'

  it('is combined as soon as one of the first lines is', () => {
    equal(read(COMMON, {}, ['?', COMMON, COMBINED]), torn)
  })

  it('is common where the first lines are, and a combined line is then taken, too', () => {
    equal(accepted(COMMON, {}, ['?', COMMON]).agent, null)
    equal(accepted(COMBINED, {}, ['?', COMMON]).agent, 'curl/8.5.0')
  })

  it('is combined where the first lines say nothing', () => {
    equal(read(COMMON, {}, []), torn)
    equal(read(COMMON, {}, ['?', '']), torn)
  })

  it('is what the option says, whatever the first lines are', () => {
    equal(read(COMMON, { dialect: 'combined' }, [COMMON]), torn)
    equal(accepted(COMMON, { dialect: 'common' }, [COMBINED]).agent, null)
    equal(
      read(COMBINED, { dialect: 'common' }, [COMBINED]),
      'more than the common format has: found ""http://example.org/"" at column 76',
    )
    equal(accepted(COMMON, { dialect: 'any' }, [COMBINED]).agent, null)
    equal(accepted(COMBINED, { dialect: 'any' }, [COMMON]).agent, 'curl/8.5.0')
  })

  it('lets no line pass that was cut off between bytes and the end of the agent', () => {
    for (let to = COMMON.length; to < COMBINED.length; to += 1) {
      equal(typeof read(COMBINED.slice(0, to)), 'string', COMBINED.slice(0, to))
    }
  })
})

const WORD = '([^ \\t\\n\\r\\f\\v]+)'
const QUOTED = '"((?:[^"\\\\]|\\\\[\\s\\S])*)"'
const TIME = '\\[(\\d{2})/([A-Z][a-z]{2})/(\\d{4}):(\\d{2}):(\\d{2}):(\\d{2}) ([+-])(\\d{2})(\\d{2})\\]'
const REST = `(?: ${QUOTED} ${QUOTED}((?: ${QUOTED})*))?`
const PATTERN = new RegExp(`^(?!\\0)${WORD} ${WORD} ${WORD} ${TIME} ${QUOTED} (\\d{3}) (\\d+|-)${REST} *$`)
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** The same by a pattern and `Date`: the fields as one text, or undefined for a line that is not of the grammar. */
function byPattern(text: string): string | undefined {
  const found = PATTERN.exec(text)
  if (found === null || !MONTHS.includes(found[5] ?? '')) return undefined
  const [, host, ident, user, day, month = '', year, hour, minute, second, sign, offsetHour, offsetMinute] = found
  const [request, status, bytes, referer = null, agent = null, rest = ''] = found.slice(13)
  const iso = `${year}-${String(MONTHS.indexOf(month) + 1).padStart(2, '0')}-${day}T${hour}:${minute}:${second}Z`
  const local = Date.parse(iso)
  const exists = !Number.isNaN(local) && new Date(local).toISOString().replace('.000', '') === iso
  if (!exists || year === '0000' || Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined
  if (bytes !== '-' && !Number.isSafeInteger(Number(bytes))) return undefined
  const offsetMs = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000 * (sign === '-' ? -1 : 1)
  const extra = rest?.match(new RegExp(QUOTED, 'g'))?.map((field) => field.slice(1, -1)) ?? null
  const size = bytes === '-' ? null : Number(bytes)
  return JSON.stringify([host, ident, user, local - offsetMs, request, Number(status), size, referer, agent, extra])
}

function byScanner(text: string): string | undefined {
  const found = read(text, { dialect: 'any' })
  if (typeof found === 'string') return undefined
  const { host, ident, user, time, request, status, bytes, referer, agent, extra } = found
  return JSON.stringify([host, ident, user, time, request, status, bytes, referer, agent, extra])
}

/** Characters that mean something in the grammar, more often than others. */
const character = fc.oneof(
  fc.constantFrom(' ', '"', '\\', '[', ']', '-', '0', '9', '\t', '\r', '\v', '\0', '\u00a0', '\u2028', 'é', '?', '/'),
  fc.string({ minLength: 1, maxLength: 1 }),
)
const word = fc.stringMatching(/^[!-~]{1,12}$/)
const quoted = fc.array(fc.oneof(fc.stringMatching(/^[ -!#-[\]-~]{0,8}$/), fc.constantFrom('\\"', '\\\\', '\\x16')), {
  maxLength: 4,
})
const two = (max: number) => fc.integer({ min: 0, max }).map((n) => String(n).padStart(2, '0'))
const time = fc
  .tuple(two(32), fc.constantFrom(...MONTHS, 'may'), fc.integer({ min: 1000, max: 9999 }), two(24), two(60), two(60))
  .map(([day, month, year, hour, minute, second]) => `[${day}/${month}/${year}:${hour}:${minute}:${second}`)
const offset = fc.tuple(fc.constantFrom('+', '-'), two(24), two(60)).map(([sign, hour, minute]) => sign + hour + minute)
const inQuotes = quoted.map((parts) => `"${parts.join('')}"`)
const line = fc
  .tuple(
    word,
    word,
    word,
    time,
    offset,
    inQuotes,
    fc.integer({ min: 100, max: 999 }),
    fc.oneof(fc.nat(), fc.constant('-')),
  )
  .chain(([host, ident, user, at, zone, request, status, bytes]) =>
    fc
      .tuple(fc.array(inQuotes, { maxLength: 4 }), fc.constantFrom('', ' ', '  '))
      .map(([rest, end]) => [host, ident, user, at, `${zone}]`, request, status, bytes, ...rest].join(' ') + end),
  )
const mutation = fc.record({
  kind: fc.constantFrom('delete', 'insert', 'replace'),
  at: fc.nat(200),
  character,
})

describe('the scanner of access logs', () => {
  it('agrees with a pattern on lines of the grammar, whole or with a character or two changed', () => {
    let whole = 0
    fc.assert(
      fc.property(line, fc.array(mutation, { maxLength: 2 }), (text, mutations) => {
        let changed = text
        for (const { kind, at, character } of mutations) {
          const from = at % (changed.length + 1)
          const to = kind === 'insert' ? from : from + 1
          changed = changed.slice(0, from) + (kind === 'delete' ? '' : character) + changed.slice(to)
        }
        const expected = byPattern(changed)
        if (expected !== undefined) whole += 1
        equal(byScanner(changed), expected, JSON.stringify(changed))
      }),
      { numRuns: times(5000) },
    )
    ok(whole > times(500), `only ${whole} lines were of the grammar`)
  })

  it('neither throws nor takes what a pattern does not, on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.oneof(character, word) }), (text) => equal(byScanner(text), byPattern(text))),
    )
  })

  it('stays linear on lines that would make a pattern look again and again', () => {
    const start = '1.2.3.4 - - [17/May/2015:10:05:03 +0000] "'
    const makers: ((count: number) => string)[] = [
      (count) => `1.2.3.4 - - [x] ${'" "'.repeat(count)}`,
      (count) => start + '" "'.repeat(count),
      (count) => `${start}" 200 1${' ""'.repeat(count)} x`,
      (count) => start + '\\\\\\'.repeat(count),
      (count) => start + '\\"x'.repeat(count),
      (count) => `${start}GET ${'?/ '.repeat(count)}" 200 1 "" ""`,
      (count) => `${start}${'A 1'.repeat(count)}/1" 200 1 "" ""`,
      (count) => `${start}" 200 1 "" ""${'   '.repeat(count)}x`,
      (count) => '   '.repeat(count),
      (count) => 'abc'.repeat(count),
    ]
    for (const [index, make] of makers.entries()) {
      // A linear scanner takes some milliseconds for 300 kB, a quadratic one many seconds.
      const text = make(100_000)
      const startMs = performance.now()
      read(text)
      const tookMs = performance.now() - startMs
      ok(tookMs < 1000, `maker ${index} took ${tookMs} ms for ${text.length} characters, limit 1000`)
    }
  })
})
