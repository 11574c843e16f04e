import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect, Socket } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, it } from 'node:test'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import {
  type Position,
  type SourceRecord,
  type SplitReader,
  type SyslogListen,
  type SyslogMessage,
  type SyslogPorts,
  type SyslogSourceOptions,
  startPipeline,
  syslogSource,
} from 'sluice'
import { readEntries } from '../src/testing/conformance/reading.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import job from './jobs/syslog.ts'
import { freePort } from './support/brokers.ts'
import { sluice } from './support/cli.ts'
import { misplaced, upTo } from './support/live-load.ts'
import { ROOT } from './support/project.ts'
import { randomOf, SEED } from './support/seed.ts'
import { until } from './support/until.ts'

const folder = tempFolder('sluice-syslog-')

const SYSLOG_JOB = join(ROOT, 'test', 'jobs', 'syslog.ts')

describe(`syslog (REPRO: SEED=${SEED} npm test)`, () => {
  const open: SplitReader<unknown>[] = []
  afterEach(async () => {
    for (const reader of open.splice(0)) await reader.close()
  })

  const listening = async <T = SyslogMessage>(
    listen: SyslogListen,
    options: SyslogSourceOptions<T> = {},
    from?: Position,
    onNote: (note: string) => void = () => {},
  ) => {
    const bound = Promise.withResolvers<SyslogPorts>()
    const source = syslogSource<T>(listen, { onListening: bound.resolve, ...options })
    const reader = await source.open({ id: 'syslog' }, from, { onNote })
    open.push(reader)
    return { reader, ...(await bound.promise) }
  }
  const take = async <T>(reader: SplitReader<T>, count: number) => {
    const entries: SourceRecord<T>[] = []
    while (entries.length < count) entries.push(...((await readEntries(reader, count - entries.length)) ?? []))
    return entries
  }
  const texts = (entries: readonly SourceRecord<SyslogMessage>[]) =>
    entries.map((entry) => (entry.kind === 'event' ? entry.value.text : `dead: ${entry.reason}`))

  /** Sends datagrams, no faster than they can be taken. */
  const datagrams = async (port: number, all: readonly (string | Uint8Array)[]) => {
    const socket = createSocket('udp4')
    for (const [at, one] of all.entries()) {
      await new Promise<void>((resolve) => socket.send(one, port, '127.0.0.1', () => resolve()))
      if (at % 100 === 99) await setImmediate()
    }
    await new Promise<void>((resolve) => socket.close(resolve))
  }
  /** Sends over a connection, and ends it. */
  const stream = async (port: number, text: string) => {
    const socket = connect(port, '127.0.0.1')
    socket.end(text)
    await once(socket, 'close')
  }

  it('takes messages over UDP and TCP, and says how they came', async () => {
    const event = ({ app, text }: SyslogMessage, { from, transport }: { from: string; transport: string }) =>
      `${app}: ${text} (${transport} from ${from})`
    const { reader, udp = 0, tcp = 0 } = await listening({ udp: 0, tcp: 0 }, { event })
    await datagrams(udp, ['<13>1 - box app - - - one\n'])
    const first = await take(reader, 1)
    await stream(tcp, '<13>Oct 11 22:14:15 box app: two\n')
    const second = await take(reader, 1)
    deepEqual(
      [...first, ...second].map((entry) => entry.kind === 'event' && entry.value),
      ['app: one (udp from 127.0.0.1)', 'app: two (tcp from 127.0.0.1)'],
    )
    deepEqual(second[0]?.origin, {
      source: 'syslog from 127.0.0.1',
      line: 0,
      offset: 1,
      raw: '<13>Oct 11 22:14:15 box app: two',
    })
  })

  it('keeps the order of a connection, however its messages are framed', async () => {
    const { reader, tcp = 0 } = await listening({ tcp: 0 })
    const messages = upTo(5000).map((n) => (n % 2 === 0 ? `<13>~${n}\n` : `${`<13>~${n}`.length} <13>~${n}`))
    const sent = stream(tcp, messages.join(''))
    deepEqual(
      texts(await take(reader, 5000)),
      upTo(5000).map((n) => `~${n}`),
    )
    await sent
  })

  it('makes dead letters of what is no syslog, too long, or cut off', async () => {
    const { reader, udp = 0, tcp = 0 } = await listening({ udp: 0, tcp: 0 }, { maxBytes: 1000 })
    await datagrams(udp, ['', '\n\0', 'hello', Buffer.alloc(5000, 'x')])
    const first = texts(await take(reader, 2))
    await stream(tcp, `<13>${'y'.repeat(3_000_000)}\n<13>fine\n100 <13>short`)
    deepEqual(
      [...first, ...texts(await take(reader, 3))],
      [
        'dead: neither a priority nor a time: found "hello" at column 1',
        'dead: a message of 5000 bytes: at most 1000 are accepted (maxBytes)',
        'dead: a message of 3000004 bytes: at most 1000 are accepted (maxBytes)',
        'fine',
        'dead: 9 of 100 bytes came',
      ],
    )
  })

  it('counts bytes that are no UTF-8', async () => {
    const { reader, udp = 0 } = await listening({ udp: 0 })
    await datagrams(udp, [Buffer.from([0x3c, 0x31, 0x3e, 0xff])])
    deepEqual(texts(await take(reader, 1)), ['\\xff'])
    equal(reader.counts.invalidUtf8, 1)
  })

  it('does not read connections while enough waits, and loses nothing of them', async () => {
    const count = 60_000
    const line = (n: number) => `<13>~${n} ${'x'.repeat(500)}\n`
    const sending = async () => {
      const { reader, tcp = 0 } = await listening({ tcp: 0 })
      const socket = connect(tcp, '127.0.0.1')
      const sender = { written: 0, done: Promise.resolve() }
      const send = async () => {
        for (let n = 1; n <= count; n += 1) {
          sender.written = n
          if (!socket.write(line(n))) await once(socket, 'drain')
        }
        socket.end()
      }
      sender.done = send()
      const taken = async () => texts(await take(reader, count)).map((text) => Number(text.slice(1).split(' ', 1)[0]))
      return { sender, taken }
    }
    const waits = await sending()
    await until(() => waits.sender.written > 10_000, 'a full inbox')
    // Long enough for a sender that would not wait: another one has sent all meanwhile.
    const other = await sending()
    equal((await other.taken()).length, count)
    ok(waits.sender.written < count, 'the sender waits')
    const found = await waits.taken()
    await waits.sender.done
    equal(misplaced(found), undefined)
  })

  const isTold = { skip: existsSync('/proc/net/udp') ? false : 'the system does not tell what it drops' }
  it('R52: says how many datagrams the system dropped, as they came too fast', isTold, async () => {
    const notes: string[] = []
    const { reader, udp = 0 } = await listening({ udp: 0 }, {}, undefined, (note) => notes.push(note))
    const flood = `
      const socket = require('node:dgram').createSocket('udp4')
      const send = (left) => left === 0 ? socket.close() : socket.send('<13>~' + 'x'.repeat(8000), ${udp}, '127.0.0.1', () => send(left - 1))
      send(3000)`
    // More than the system keeps for a socket, while nothing is read here.
    execFileSync(process.execPath, ['-e', flood])
    const row = new RegExp(`:${udp.toString(16).toUpperCase().padStart(4, '0')} .* 0{8}:0{8} `)
    await until(() => row.test(readFileSync('/proc/net/udp', 'utf8')), 'all that the system has kept')
    await datagrams(udp, ['<13>last'])
    let received = 0
    while (texts(await take(reader, 1))[0] !== 'last') received += 1
    await reader.close()
    const told = notes.map((note) => /^the system dropped ([\d,]+) datagrams: /.exec(note)?.[1] ?? '')
    const lost = Number((told.at(-1) ?? '').replaceAll(',', ''))
    ok(lost > 0, notes.join('; '))
    equal(received + lost, 3000)
  })

  it('R52: tells nothing of drops where there were none', isTold, async () => {
    const notes: string[] = []
    const { reader, udp = 0 } = await listening({ udp: 0 }, {}, undefined, (note) => notes.push(note))
    await datagrams(udp, ['<1>a'])
    await take(reader, 1)
    await reader.close()
    deepEqual(notes, [])
  })

  it('drops datagrams while enough waits, counts them, and says so', async () => {
    const notes: string[] = []
    const { reader, udp = 0 } = await listening({ udp: 0 }, {}, undefined, (note) => notes.push(note))
    const count = 12_000
    await datagrams(
      udp,
      upTo(count).map((n) => `<13>~${n}`),
    )
    await until(() => notes.length > 0, 'a note')
    equal(notes[0], 'dropped 1 datagrams: too many are waiting')
    const found = texts(await take(reader, 10_000))
    equal(found[9999], '~10000', 'the latest are dropped')
    await reader.close()
    match(notes[1] ?? '', /^dropped \d+ datagrams: too many are waiting$/)
  })

  it('counts messages over all runs, and knows nothing else of earlier ones', async () => {
    const { reader, udp = 0 } = await listening({ udp: 0 }, {}, { count: 7 })
    await datagrams(udp, ['<13>a'])
    const [entry] = await take(reader, 1)
    equal(entry?.origin.offset, 7)
    deepEqual(reader.position(), { count: 8 })
    await rejects(syslogSource({ udp: 0 }).open({ id: 'syslog' }, { count: -1 }), { code: 'POSITION_LOST' })
  })

  it('ends a wait with the reason of the signal, and lets go of its ports', async () => {
    const stop = new AbortController()
    const port = await freePort()
    const source = syslogSource({ udp: port, tcp: port })
    const reader = await source.open({ id: 'syslog' }, undefined, { signal: stop.signal })
    open.push(reader)
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    const waiting = reader.read(1)
    const reason = new Error('stopped')
    stop.abort(reason)
    await rejects(async () => await waiting, reason)
    await reader.close()
    await reader.close()
    const again = await source.open({ id: 'syslog' }, undefined)
    open.push(again)
  })

  it('says that it cannot listen, and holds no port then', async () => {
    const { tcp = 0 } = await listening({ tcp: 0 })
    const udp = await freePort()
    await rejects(syslogSource({ udp, tcp }).open({ id: 'syslog' }, undefined), {
      code: 'SOURCE_UNREADABLE',
      message: new RegExp(`^Cannot listen for syslog at 127.0.0.1, udp ${udp}, tcp ${tcp}: .*EADDRINUSE`),
    })
    await listening({ udp })
  })

  it('refuses invalid places to listen', () => {
    throws(() => syslogSource({}), { code: 'CONFIG_INVALID', message: /a port for udp, tcp or both/ })
    throws(() => syslogSource({ tcp: 70_000 }), /^RangeError: tcp must be an integer, from 0 to 65535/)
    throws(() => syslogSource({ tls: 6514 } as never), /^TypeError: syslogSource has no option tls/)
    throws(() => syslogSource({ udp: 0 }, { timeZone: 'Mars' }), /^RangeError: timeZone must be one such as/)
  })

  it('is loaded by a pipeline, as rows with their columns', async () => {
    const [port, out] = [await freePort(), join(folder, 'out.db')]
    const params = new Map(Object.entries({ port: String(port), out }))
    const run = await startPipeline(job, { params, epochMs: 20 })
    const line = '<34>1 2003-10-11T22:14:15.003Z box su - - [a b="c"] x\n'
    const isSent = () =>
      stream(port, line).then(
        () => true,
        () => false,
      )
    await until(isSent, 'somebody who listens')
    await until(() => run.progress().committed.loaded === 1, 'a row')
    await run.drain('enough')
    const database = new DatabaseSync(out)
    const rows = database.prepare('select facility, severity, time, app, structuredData, text from messages').all()
    database.close()
    deepEqual(
      rows.map((row) => Object.values(row)),
      [[4, 2, 1_065_910_455_003, 'su', '{"a":{"b":"c"}}', 'x']],
    )
  })

  it('loses what was not committed when it is killed, and nothing else; it doubles nothing', async () => {
    const [port, out, random] = [await freePort(), join(folder, 'killed.db'), randomOf('syslog')]
    const given = ['--param', `port=${port}`, '--param', `out=${out}`]
    const loaded = () => {
      if (!existsSync(out)) return []
      const database = new DatabaseSync(out)
      try {
        database.exec('pragma busy_timeout = 5000')
        const rows = database.prepare('select text from messages order by rowid').all()
        return rows.map(({ text }) => Number(text))
      } catch {
        return [] // There is no table yet.
      } finally {
        database.close()
      }
    }
    let sent = 0
    /** Sends numbers upwards over one connection, as soon as there is one, until it breaks; gives the first of them. */
    const sending = async () => {
      let [socket, closed] = [new Socket(), Promise.resolve()]
      const isConnected = () => {
        socket = connect(port, '127.0.0.1')
        socket.on('error', () => {})
        closed = new Promise((resolve) => socket.once('close', () => resolve()))
        const connected = new Promise((resolve) => socket.once('connect', resolve))
        return Promise.race([connected.then(() => true), closed.then(() => false)])
      }
      await until(isConnected, 'somebody who listens')
      const first = sent + 1
      const timer = setInterval(() => {
        for (let one = 0; one < 5; one += 1) {
          sent += 1
          socket.write(`<13>1 - box app - - - ${sent}\n`)
        }
      }, 2)
      await closed
      clearInterval(timer)
      return first
    }
    for (let run = 1; run <= 4; run += 1) {
      const before = loaded().length
      let seen = 0
      const first = sending()
      const { code, signal, stderr } = await sluice(['run', SYSLOG_JOB, '--quiet', '--epoch-ms', '20', ...given], {
        onStart: (child) => {
          void (async () => {
            await until(() => loaded().length > before, 'rows')
            await sleep(random() * 300)
            seen = loaded().at(-1) ?? 0
            child.kill(run === 4 ? 'SIGTERM' : 'SIGKILL')
          })()
        },
      })
      ok(run === 4 ? code === 0 : signal === 'SIGKILL', stderr)
      const from = await first
      const numbers = loaded().slice(before)
      const least = upTo(seen - from + 1).map((n) => n + from - 1)
      deepEqual(numbers.slice(0, least.length), least, `run ${run}: none is lost that was committed, or came before it`)
      deepEqual(numbers, [...new Set(numbers)], 'none is doubled')
    }
    deepEqual(loaded(), [...new Set(loaded())], 'none is doubled over all runs')
  })
})
