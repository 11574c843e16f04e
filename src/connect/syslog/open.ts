// Opens the syslog reader.

import { systemClock } from '../../base/clock.ts'
import type { SyslogMessage } from '../formats/syslog/message.ts'
import { bodies } from '../kits/broker/body.ts'
import { type LiveServer, listenReader } from '../kits/broker/connect-reader.ts'
import { NoDedup } from '../kits/broker/deduplicator.ts'
import { livePosition, unreachable, withoutBytes } from '../kits/broker/push-reader.ts'
import type { LiveOpening } from '../kits/broker/source.ts'
import type { SplitReader } from '../source.ts'
import type { Frame } from './server/frames.ts'
import { SystemDrops } from './server/system-drops.ts'
import { type SyslogMeta, type SyslogPorts, SyslogServer, type SyslogServerOptions } from './server.ts'

export interface SyslogOpening<T>
  extends LiveOpening<SyslogMessage, SyslogMeta, T>,
    Pick<SyslogServerOptions, 'ports' | 'host' | 'maxBytes'> {
  readonly onListening: ((ports: SyslogPorts) => void) | undefined
}

interface Sent extends Frame {
  readonly meta: SyslogMeta
}

/** What is waiting. */
const LIMITS = { messages: 10_000, bytes: 16 * 1024 * 1024 }

export async function openSyslog<T>(opening: SyslogOpening<T>): Promise<SplitReader<T>> {
  const { title, from, open } = opening
  const tell = (note: string): void => open.onNote?.(note)
  const drops = { datagram: new Drops('datagrams', tell), connection: new Drops('connections', tell) }
  const [reader, server] = await listenReader<T, Sent, LiveServer & { readonly ports: SyslogPorts }>(
    {
      ...opening,
      ...bodies(opening, ({ bytes, fault, meta }: Sent) => {
        return { bytes, fault, meta, source: `syslog from ${meta.from}` }
      }),
      known: new NoDedup(),
      receiptOf: withoutBytes,
      limits: LIMITS,
      count: livePosition(title, from).count,
    },
    async (sent) => {
      const listening = await SyslogServer.start({
        ...opening,
        onFrame: (frame, meta) => sent.push({ ...frame, meta }),
        isFull: () => sent.isFull,
        onDropped: (what) => drops[what].add(systemClock.nowMs()),
        onFailure: (error) => sent.fail(unreachable(title, error)),
      })
      const { udp } = listening.ports
      const system = udp === undefined ? undefined : await SystemDrops.of(udp, tell)
      return {
        ports: listening.ports,
        resume: () => listening.resume(),
        async close() {
          await system?.close()
          await listening.close()
          for (const dropped of Object.values(drops)) dropped.tell()
        },
      }
    },
  )
  opening.onListening?.(server.ports)
  return reader
}

/** At least so many milliseconds between two notes. */
const BETWEEN_MS = 10_000

/**
 * Counts what is dropped, and reports it: at once, and then at most every ten seconds.
 *
 * @example
 * const told: string[] = []
 * const drops = new Drops('datagrams', (note) => told.push(note))
 * drops.add(0)
 * drops.add(5000)
 * drops.add(10_000)
 * told // => ['dropped 1 datagrams: too many are waiting', 'dropped 3 datagrams: too many are waiting']
 */
export class Drops {
  readonly #what: string
  readonly #tell: (note: string) => void
  #count = 0
  #toldOf = 0
  #toldMs = Number.NEGATIVE_INFINITY

  constructor(what: string, tell: (note: string) => void) {
    this.#what = what
    this.#tell = tell
  }

  /** How many there were. */
  get count(): number {
    return this.#count
  }

  /** @param nowMs - clock milliseconds */
  add(nowMs: number): void {
    this.#count += 1
    if (nowMs - this.#toldMs < BETWEEN_MS) return
    this.#toldMs = nowMs
    this.tell()
  }

  /** Reports those not reported yet. */
  tell(): void {
    if (this.#count === this.#toldOf) return
    this.#toldOf = this.#count
    this.#tell(`dropped ${this.#count} ${this.#what}: too many are waiting`)
  }
}
