// The source of syslog messages, over UDP and TCP.

import { checkInteger, checkKeys } from '../../base/check.ts'
import { aFunction, type Checks, checkOptions, integer } from '../../base/options.ts'
import { SYSLOG_LINE_OPTIONS, type SyslogMessage, type SyslogOptions, syslog } from '../formats/syslog/format.ts'
import type { ToEvent } from '../kits/broker/body.ts'
import { liveSource } from '../kits/broker/source.ts'
import { optionInvalid } from '../kits/config.ts'
import type { Source } from '../source.ts'
import type { SyslogMeta, SyslogPorts } from './server.ts'

export type { SyslogMeta, SyslogPorts } from './server.ts'

/** Where to listen: one port or both; 0 picks a free one. */
export interface SyslogListen extends SyslogPorts {
  /** The address to listen on: by default `127.0.0.1`, this machine only. */
  readonly host?: string
}

export interface SyslogSourceOptions<T> extends SyslogOptions {
  /** The longest message: 64 KiB by default. */
  readonly maxBytes?: number
  /** Makes an event of a message and its metadata: the message by default. */
  readonly event?: ToEvent<SyslogMessage, SyslogMeta, T>
  /** Called with the actual ports. */
  readonly onListening?: (ports: SyslogPorts) => void
}

const OPTIONS: Checks<SyslogSourceOptions<unknown>> = {
  ...SYSLOG_LINE_OPTIONS,
  maxBytes: integer(480, 16 * 1024 * 1024),
  event: aFunction,
  onListening: aFunction,
}

/**
 * Receives what programs and devices send by syslog, without end.
 *
 * - **Messages** are those of {@link syslog}; what that rejects, what exceeds `maxBytes`, and what a connection broke
 *   in the middle of becomes a dead letter.
 * - **At most once**: syslog has no acknowledgements. What was received and not committed is lost in a crash.
 * - **Demand**: what is waiting is bounded. Connections are not read beyond that, so their senders wait; further
 *   datagrams are dropped, counted, and noted.
 * - **Framing** of TCP is detected message by message: by length, or by line (RFC 6587).
 * - **Trusts** whoever can reach it: with a host other than this machine, restrict access with a firewall.
 * - **Origins** name who sent a message, and count them over all runs, as the offset.
 *
 * @throws {SluiceError} CONFIG_INVALID for an invalid place to listen; then SOURCE_UNREADABLE if it cannot listen
 * @throws {RangeError} for another invalid option
 * @example
 * syslogSource({ udp: 5514, tcp: 5514 }, { timeZone: 'Europe/Berlin' }).title // => 'syslog at 127.0.0.1, udp 5514, tcp 5514'
 * @see https://www.rfc-editor.org/rfc/rfc6587
 */
export function syslogSource<T = SyslogMessage>(listen: SyslogListen, options: SyslogSourceOptions<T> = {}): Source<T> {
  checkKeys('syslogSource', listen, ['udp', 'tcp', 'host'])
  checkOptions('syslogSource', options, OPTIONS)
  const { host = '127.0.0.1', ...ports } = listen
  const { maxBytes = 64 * 1024, event, onListening, ...line } = options
  for (const [name, port] of Object.entries(ports)) if (port !== undefined) checkInteger(name, port, 0, 65_535)
  if (ports.udp === undefined && ports.tcp === undefined)
    throw optionInvalid('syslogSource', 'udp', undefined, 'a port for udp, tcp or both')
  if (typeof host !== 'string' || host === '')
    throw optionInvalid('syslogSource', 'host', host, 'an address of this machine')
  const format = syslog(line)
  const where = (['udp', 'tcp'] as const).filter((name) => ports[name] !== undefined)
  const title = `syslog at ${host}, ${where.map((name) => `${name} ${ports[name]}`).join(', ')}`
  return liveSource<T>({
    kind: 'syslog',
    title,
    ...(event === undefined && format.columns !== undefined ? { columns: format.columns } : {}),
    delivery: 'at-most-once',
    split: 'syslog',
    format,
    event,
    load: async (opening) => {
      const { openSyslog } = await import('./open.ts')
      return await openSyslog<T>({ title, ports, host, maxBytes, onListening, format, event, ...opening })
    },
  })
}
