import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Rejection } from '../../format.ts'
import { type AccessFormatOptions, accessLog, type FormattedRequest } from './format.ts'

const STAMP = '[17/May/2015:10:05:03 +0200]'
const TIME = Date.UTC(2015, 4, 17, 8, 5, 3)
const COMBINED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
const line = (before: string, behind: string) => `${before} ${STAMP} "GET /a?b=1 HTTP/1.1" 200 12 "-" "x/1"${behind}`

function read(text: string, options: AccessFormatOptions | string): FormattedRequest | string {
  const format = accessLog(typeof options === 'string' ? { format: options } : options)
  const found = format.open(() => [])(text, { source: 'a.log', line: 7, offset: 9, raw: text })
  return found instanceof Rejection ? found.reason : found
}

/** The named fields of a line that must be read. */
function fields(text: string, format: AccessFormatOptions | string, names: readonly string[]): unknown[] {
  const found = read(text, format)
  ok(typeof found === 'object', `${found}`)
  return names.map((name) => found[name])
}

describe('accessLog with a format', () => {
  it('X30: reads what combined has, and the columns of it', () => {
    deepEqual(read(line('1.2.3.4 - -', ''), COMBINED), {
      file: 'a.log',
      line: 7,
      offset: 9,
      host: '1.2.3.4',
      ident: null,
      user: '-',
      time: TIME,
      request: 'GET /a?b=1 HTTP/1.1',
      method: 'GET',
      path: '/a',
      protocol: 'HTTP/1.1',
      status: 200,
      bytes: 12,
      referer: '-',
      agent: 'x/1',
      extra: null,
    })
  })

  for (const [what, text, format, expected] of [
    [
      'an unquoted time behind the agent',
      line('::1 - -', ' 0.123'),
      `${COMBINED} $request_time`,
      { request_time: 0.123 },
    ],
    [
      'times of upstreams',
      line('::1 - -', ' 0.5 0.120, 0.3 .'),
      `${COMBINED} $request_time $upstream_response_time $pipe`,
      {
        request_time: 0.5,
        upstream_response_time: '0.120, 0.3',
        pipe: '.',
      },
    ],
    [
      'named values',
      line('::1 - -', ' rt=0.151 us="200"'),
      `${COMBINED} rt=$request_time us="$upstream_status"`,
      {
        request_time: 0.151,
        upstream_status: '200',
      },
    ],
    [
      'an ingress',
      line('::1 - -', ' 345 0.004 [web-80] [] 10.2.2.2:8080, 10.2.2.3:8080 12 0.004 200 abc'),
      `${COMBINED} $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id`,
      {
        request_length: 345,
        proxy_upstream_name: 'web-80',
        proxy_alternative_upstream_name: '',
        upstream_addr: '10.2.2.2:8080, 10.2.2.3:8080',
        req_id: 'abc',
      },
    ],
    [
      'a count, two names and a time with its unit',
      line('::1 - -', ' 12 "r@docker" "http://x" 4ms'),
      `${COMBINED} $n "$router" "$url" \${took}ms`,
      {
        n: '12',
        router: 'r@docker',
        took: '4',
      },
    ],
    ['a list of addresses', line('10.0.0.1, 10.0.0.2 - -', ''), COMBINED, { host: '10.0.0.1, 10.0.0.2', user: '-' }],
    ['a host that is empty', line(' - -', ''), COMBINED, { host: '', user: '-' }],
    ['a user of two words', line('::1 - Ann Lee', ''), COMBINED, { user: 'Ann Lee' }],
    ['a user that is empty', line('::1 - ', ''), COMBINED, { user: '' }],
    ['quotes that are escaped', line('::1 - -', '').replace('x/1', 'a \\"b\\" c'), COMBINED, { agent: 'a \\"b\\" c' }],
    [
      'quotes that are not',
      line('::1 - -', '').replace('x/1', 'a "b" c'),
      `escape=none ${COMBINED}`,
      { agent: 'a "b" c' },
    ],
    [
      'a whole directive of nginx',
      line('::1 - -', ' 0.1'),
      `log_format main '${COMBINED.slice(0, 40)}'\n  '${COMBINED.slice(40)} $request_time';`,
      {
        agent: 'x/1',
        request_time: 0.1,
      },
    ],
    [
      'a virtual host',
      line('www.example.com:443 ::1 - -', ''),
      '%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"',
      {
        vhost: 'www.example.com',
        port: 443,
        host: '::1',
        ident: '-',
        time: TIME,
        bytes_sent: 12,
        agent: 'x/1',
      },
    ],
    [
      'a duration behind the agent',
      line('::1 - -', ' **0/16500**'),
      '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" **%T/%D**',
      {
        duration_s: 0,
        duration_us: 16500,
      },
    ],
    [
      'a duration before the request',
      `::1 - - ${STAMP} 561 "GET / HTTP/1.1" 200 -`,
      '%h %l %u %t %D "%r" %>s %b',
      {
        duration_us: 561,
        bytes: null,
      },
    ],
    [
      'a whole directive of Apache',
      `::1 ${STAMP} "GET / HTTP/1.1" 200 x, y`,
      'LogFormat "%h %t \\"%r\\" %>s %{X-Forwarded-For}i" short',
      {
        host: '::1',
        status: 200,
        x_forwarded_for: 'x, y',
      },
    ],
    ['times in other forms', '2015-05-17T10:05:03+02:00 ::1', '$time_iso8601 $remote_addr', { time: TIME }],
    ['times as counts', '1431849903.250 ::1', '$msec $remote_addr', { time: TIME + 250 }],
  ] as const) {
    it(`X30: reads ${what}`, () => {
      const known: Readonly<Record<string, unknown>> = expected
      deepEqual(fields(text, format, Object.keys(known)), Object.values(known))
    })
  }

  for (const [text, format, reason] of [
    [line('::1 - -', ' 0.1'), COMBINED, 'no end of agent: found "x/1""'],
    [line('::1 - -', ''), `${COMBINED} $request_time`, 'no end of agent'],
    [line('::1 - -', ' x'), `${COMBINED} $request_time`, 'request_time is not a number: found "x"'],
    [line('::1 - -', '').replace('17/May', '31/Jun'), COMBINED, 'time has no such day'],
    [line('::1 - -', '').replace(' 200 ', ' 20 '), COMBINED, 'status is not three digits: found "20"'],
    ['2015-02-30T10:05:03+02:00 ::1', '$time_iso8601 $remote_addr', 'time: no such day'],
    ['1431849903.2501 ::1', '$msec $remote_addr', 'time: digits finer than a millisecond'],
  ] as const) {
    it(`X31: refuses ${text.slice(-30)} as ${format.slice(-30)}`, () => {
      const found = read(text, format)
      ok(typeof found === 'string' && found.startsWith(reason), JSON.stringify(found))
    })
  }

  it('X31: refuses a format that cannot be, when it is made', () => {
    for (const [format, why] of [
      ['', /must be a log_format of nginx or a LogFormat of Apache/],
      ['plain text', /names no field, such as \$remote_addr or %h/],
      ['$remote_addr$status', /has nothing between host and status/],
      ['$status $status', /says status twice/],
      ['%h %Y', /has %Y, which is unknown/],
      ['%h %{%d}t', /has the time %\{%d\}t/],
      ['escape=json {"a":"$status"}', /writes JSON: read it with ndjsonSource\(\)/],
    ] as const) {
      throws(() => accessLog({ format }), why, format)
    }
  })

  it('X30: says its columns, with their types', () => {
    const { columns } = accessLog({ format: '%h %D %{X-Id}i' })
    deepEqual([columns?.duration_us, columns?.x_id, columns?.time], ['integer', 'text', 'time'])
    equal(Object.keys(columns ?? {}).length, 18)
  })

  it('S4: reads a line in a time that grows with it', () => {
    const long = `${line('::1 - -', '').replace('x/1', '\\"'.repeat(400_000))}${' '.repeat(400_000)}`
    const beginMs = performance.now()
    read(long, COMBINED)
    ok(performance.now() - beginMs < 5000)
  })
})
