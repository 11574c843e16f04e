// Opens the syslog reader.

import { systemClock } from '../../base/clock.ts'
import type { SyslogMessage } from '../formats/syslog/message.ts'
import { bodies } from '../kits/broker/body.ts'
import { type LiveServer, listenReader } from '../kits/broker/connect-reader.ts'
import { NoDedup } from '../kits/broker/deduplicator.ts'
import { Drops } from '../kits/broker/drops.ts'
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
