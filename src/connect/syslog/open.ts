// Opens the reader of what is sent by syslog.

import { systemClock } from '../../base/clock.ts'
import { errnoOf, messageOf, SluiceError } from '../../base/errors.ts'
import type { LineFormat } from '../format.ts'
import { bodyReader, type ToEvent } from '../live/body.ts'
import { Drops } from '../live/drops.ts'
import { OnceEach } from '../live/known.ts'
import { LiveReader, livePosition, unreachable } from '../live/live-reader.ts'
import { rawOf } from '../live/text.ts'
import { deadLetter, type Entry } from '../origin.ts'
import type { OpenOptions, Position, SourceCounts, SplitReader } from '../source.ts'
import type { Frame } from './frames.ts'
import type { SyslogMessage } from './message.ts'
import type { SyslogMeta } from './meta.ts'
import { type SyslogPorts, SyslogServer } from './server.ts'

export interface SyslogOpening<T> {
  readonly title: string
  readonly ports: SyslogPorts
  readonly host: string
  readonly maxBytes: number
  readonly onListening: ((ports: SyslogPorts) => void) | undefined
  readonly format: LineFormat<SyslogMessage>
  readonly event: ToEvent<SyslogMessage, SyslogMeta, T> | undefined
  readonly from: Position | undefined
  readonly open: OpenOptions
}

/** A message, numbered as it came. */
interface Sent extends Frame {
  readonly name: string
  readonly meta: SyslogMeta
}

const NOTHING = new Uint8Array(0)
/** What waits to be asked for. */
const LIMITS = { messages: 10_000, bytes: 16 * 1024 * 1024 }

export async function openSyslog<T>(opening: SyslogOpening<T>): Promise<SplitReader<T>> {
  const { title, from, open } = opening
  const { count } = livePosition(title, from)
  const reader = new LiveReader<T, Sent>({
    title,
    known: new OnceEach(),
    idOf: ({ name }) => name,
    isAgain: () => false,
    bytesOf: ({ bytes }) => bytes.length,
    // Nobody hears of commits: nothing of it is needed then.
    receiptOf: (sent) => ({ ...sent, bytes: NOTHING }),
    read: readerOf(opening),
    limits: LIMITS,
    count,
    open,
  })
  const drops = {
    datagram: new Drops('datagrams', (note) => reader.tell(note)),
    connection: new Drops('connections', (note) => reader.tell(note)),
  }
  let server: SyslogServer | undefined
  reader.attach({
    // The server looks for itself, before each message.
    pause() {},
    resume: () => server?.resume(),
    acknowledge() {},
    async close() {
      await server?.close()
      for (const dropped of Object.values(drops)) dropped.tell()
    },
  })
  let sent = 0
  try {
    server = await SyslogServer.start({
      ...opening,
      onFrame(frame, meta) {
        sent += 1
        reader.push({ ...frame, name: String(sent), meta })
      },
      isFull: () => reader.isFull,
      onDropped: (what) => drops[what].add(systemClock.nowMs()),
      onFailure: (error) => reader.fail(unreachable(title, error)),
    })
  } catch (error) {
    const message = `Cannot listen for ${title}: ${messageOf(error)}`
    const details = { source: title, offset: 0, errno: errnoOf(error) }
    throw new SluiceError('SOURCE_UNREADABLE', message, details, { cause: error })
  }
  opening.onListening?.(server.ports)
  return reader
}

function readerOf<T>({ format, event }: SyslogOpening<T>) {
  const read = bodyReader<SyslogMessage, SyslogMeta, T>(format, event)
  return ({ bytes, fault, meta }: Sent, count: number, counts: SourceCounts): Entry<T> => {
    const source = `syslog from ${meta.from}`
    if (fault === undefined) return read({ bytes, meta, source, count }, counts)
    const raw = rawOf(bytes)
    return deadLetter({ source, line: 0, offset: count, raw }, format.name, fault)
  }
}
