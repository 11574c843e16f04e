import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { after, afterEach, before, describe, it } from 'node:test'
import codec, { type Packet } from 'mqtt-packet'
import { readEntries } from '../../testing/conformance/reading.ts'
import { until } from '../../testing/until.ts'
import { textLines } from '../formats/text.ts'
import type { Position, SplitReader } from '../source.ts'
import { type MqttSourceOptions, mqttSource } from './source.ts'

const VERSION = { protocolVersion: 5 }

/** One connection of a broker that does as it is told. */
class Scripted {
  readonly #socket: Socket
  /** What came, by what it is and its number: `puback 1`. */
  readonly came: string[] = []
  /** Who connects, once that is said. */
  clientId: string | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    const parser = codec.parser(VERSION)
    parser.on('packet', (packet) => {
      const { cmd, messageId } = packet
      if (packet.cmd === 'connect') this.clientId = packet.clientId
      this.came.push(messageId === undefined ? cmd : `${cmd} ${messageId}`)
    })
    socket.on('data', (block: Buffer) => parser.parse(block))
    socket.on('error', () => {}) // The reader may break off whenever it likes.
  }

  send(packet: Packet): void {
    this.#socket.write(codec.generate(packet, VERSION))
  }

  publish(messageId: number, payload: string, more: { qos?: 1 | 2; dup?: boolean } = {}): void {
    const { qos = 1, dup = false } = more
    this.send({ cmd: 'publish', topic: 'a', payload, messageId, qos, dup, retain: false })
  }

  async welcome(sessionPresent: boolean, qos: 1 | 2 = 1): Promise<void> {
    await this.until('connect')
    this.send({ cmd: 'connack', reasonCode: 0, sessionPresent })
    await this.until('subscribe 1')
    this.send({ cmd: 'suback', messageId: 1, granted: [qos] })
  }

  async until(what: string, times = 1): Promise<void> {
    await until(() => this.came.filter((one) => one === what).length >= times, `${times} × ${what}`)
  }

  break(): void {
    this.#socket.destroy()
  }
}

describe('a connection to an MQTT broker', () => {
  let server: Server
  let url = ''
  const sockets: Socket[] = []
  const arrived: Scripted[] = []
  const readers: SplitReader<string>[] = []
  const notes: string[] = []

  before(async () => {
    server = createServer((socket) => {
      sockets.push(socket)
      arrived.push(new Scripted(socket))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(async () => {
    for (const reader of readers.splice(0)) await reader.close()
    for (const socket of sockets.splice(0)) socket.destroy()
    arrived.length = 0
    notes.length = 0
  })
  after(() => server.close())

  let tests = 0
  /** The next connection of this test: one of a test before may come late. */
  const connected = async (): Promise<Scripted> => {
    const ours = () => arrived.findIndex(({ clientId }) => clientId === `tester ${tests}`)
    await until(() => ours() >= 0, 'a connection')
    return arrived.splice(ours(), 1)[0] as Scripted
  }
  const open = async (
    sessionPresent = false,
    options: Partial<MqttSourceOptions<string, string>> = {},
    from?: Position,
  ): Promise<{ reader: SplitReader<string>; broker: Scripted }> => {
    tests += 1
    const source = mqttSource(url, textLines(), { topics: 'a', clientId: `tester ${tests}`, ...options })
    const opening = source.open({ id: '' }, from, { onNote: (note) => notes.push(note) })
    const broker = await connected()
    await broker.welcome(sessionPresent, options.qos === 2 ? 2 : 1)
    const reader = await opening
    readers.push(reader)
    return { reader, broker }
  }
  const read = async (reader: SplitReader<string>): Promise<string[]> => {
    const entries = (await readEntries(reader, 100)) ?? []
    return entries.map((entry) => (entry.kind === 'event' ? entry.value : 'dead'))
  }
  const pendingOf = (reader: SplitReader<string>): number => {
    return (reader.position() as { pending: readonly string[] }).pending.length
  }
  /** Sends so many bytes over a connection of its own, which takes them all. */
  const takenElsewhere = async (bytes: number) => {
    const other = createServer((socket) => socket.end(Buffer.alloc(bytes)))
    await once(other.listen(0, '127.0.0.1'), 'listening')
    const socket = connect((other.address() as AddressInfo).port, '127.0.0.1')
    await once(socket.resume(), 'close')
    other.close()
    equal(socket.bytesRead, bytes)
  }
  const isEmpty = (reader: SplitReader<string>) => until(() => pendingOf(reader) === 0, 'an empty position')

  it('takes the same number and content for a new message once the broker has forgotten its session', async () => {
    const { reader, broker } = await open()
    broker.publish(1, 'on')
    deepEqual(await read(reader), ['on'])
    broker.break()
    const next = await connected()
    await next.welcome(false)
    next.publish(1, 'on')
    deepEqual(await read(reader), ['on'])
    reader.acknowledge?.(reader.position())
    await next.until('pingreq')
    deepEqual(
      next.came.filter((one) => one.startsWith('puback')),
      ['puback 1'],
      'the number of the session that is gone is not acknowledged in this one',
    )
  })

  it('takes what comes again in the same session for the same message', async () => {
    const { reader, broker } = await open()
    broker.publish(1, 'on')
    deepEqual(await read(reader), ['on'])
    broker.break()
    const next = await connected()
    await next.welcome(true)
    next.publish(1, 'on', { dup: true })
    next.publish(2, 'off')
    deepEqual(await read(reader), ['off'])
    reader.acknowledge?.(reader.position())
    await next.until('puback 2')
    deepEqual(
      next.came.filter((one) => one.startsWith('puback')),
      ['puback 1', 'puback 2'],
    )
  })

  it('keeps the names of a later session in its position, and knows them in the next run', async () => {
    const { reader, broker } = await open()
    broker.publish(1, 'on')
    await read(reader)
    broker.break()
    const next = await connected()
    await next.welcome(false)
    next.publish(1, 'on')
    await read(reader)
    const position = JSON.parse(JSON.stringify(reader.position()))
    equal(position.pending.length, 1, 'what the broker has forgotten does not come again')
    await reader.close()
    const later = await open(true, {}, position)
    later.broker.publish(1, 'on', { dup: true })
    later.broker.publish(2, 'off')
    deepEqual(await read(later.reader), ['off'])
  })

  it('keeps a name until the ping behind its acknowledgement is answered, not one before', async () => {
    const { reader, broker } = await open(false, { keepAliveS: 1 })
    await broker.until('pingreq')
    broker.publish(1, 'one')
    await read(reader)
    reader.acknowledge?.(reader.position())
    await broker.until('puback 1')
    await broker.until('pingreq', 2)
    broker.send({ cmd: 'pingresp' })
    broker.publish(2, 'two')
    await read(reader)
    equal(pendingOf(reader), 2, 'the answer was to the sign of life before')
    for (let at = 0; at < 10; at += 1) broker.send({ cmd: 'pingresp' })
    reader.acknowledge?.(reader.position())
    await broker.until('puback 2')
    for (let at = 0; at < 10; at += 1) broker.send({ cmd: 'pingresp' })
    await isEmpty(reader)
  })

  it('forgets a name at QoS 2 once the broker lets go of its number', async () => {
    const { reader, broker } = await open(false, { qos: 2 })
    broker.publish(7, 'one', { qos: 2 })
    await read(reader)
    reader.acknowledge?.(reader.position())
    await broker.until('pubrec 7')
    equal(pendingOf(reader), 1)
    broker.send({ cmd: 'pubrel', messageId: 7 })
    await broker.until('pubcomp 7')
    await isEmpty(reader)
  })

  it('is not given up while anything comes, however late the answer to a ping', async () => {
    const { broker } = await open(false, { keepAliveS: 1 })
    // In place of the second ping it would be given up.
    for (let at = 1; at <= 3; at += 1) {
      await broker.until('pingreq', at)
      broker.publish(at, 'late')
    }
    deepEqual(notes, [])
  })

  it('is not given up because this process was held up', async () => {
    const { broker, reader } = await open(false, { keepAliveS: 1 })
    await broker.until('pingreq')
    // From here on timers come before what is to be read.
    await new Promise((resolve) => setImmediate(resolve))
    broker.publish(1, 'late')
    const untilMs = performance.now() + 600
    while (performance.now() < untilMs);
    deepEqual(await read(reader), ['late'])
    deepEqual(notes, [])
  })

  it('is given up when nothing comes between two signs of life', async () => {
    await open(false, { keepAliveS: 1 })
    await until(() => notes.length > 0, 'a note')
    match(notes[0] ?? '', /the broker no longer answers/)
  })

  it('counts all that a message holds towards what may wait, its properties too', async () => {
    const { broker, reader } = await open()
    const userProperties = { key: 'x'.repeat(60_000) }
    let sent = 0
    for (; sent < 600; sent += 1) {
      const properties = { userProperties }
      const message = { cmd: 'publish', topic: 'a', payload: '', messageId: sent + 1, qos: 1 } as const
      broker.send({ ...message, properties, dup: false, retain: false })
    }
    const socket = sockets.at(-1) as Socket
    const taken = () => socket.bytesWritten - socket.writableLength
    // Long enough for a reader that would go on: another one takes as much meanwhile.
    await takenElsewhere(36 * 1024 * 1024)
    ok(taken() < 24 * 1024 * 1024, `${taken()} bytes of 36 MB are taken, though nobody asks for them`)
    let count = 0
    while (count < sent) count += (await read(reader)).length
    equal(count, sent)
  })

  it('breaks at what is no packet, and connects again', async () => {
    const { broker, reader } = await open()
    ;(sockets.at(-1) as Socket).write(Buffer.of(0x00, 0xff, 0xff, 0xff, 0xff, 0xff))
    const next = await connected()
    await next.welcome(true)
    next.publish(1, 'fine')
    deepEqual(await read(reader), ['fine'])
    ok(!broker.came.includes('disconnect'))
  })

  it('refuses a position with invalid names', async () => {
    const source = mqttSource(url, textLines(), { topics: 'a', clientId: 'tester' })
    for (const pending of [7, [7], 'x', {}]) {
      const error = await source.open({ id: '' }, { count: 1, pending }).catch((caught: unknown) => caught)
      equal((error as { code?: string }).code, 'POSITION_LOST')
    }
  })
})
