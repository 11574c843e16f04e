// The sockets that this process connects, for tests that look at what a client does.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/** Collects the sockets that are connected from now on, until `stop`. */
export function clientSockets(): { readonly sockets: readonly Socket[]; stop(): void } {
  const sockets: Socket[] = []
  const listen = (message: unknown) => void sockets.push((message as { readonly socket: Socket }).socket)
  subscribe('net.client.socket', listen)
  return { sockets, stop: () => void unsubscribe('net.client.socket', listen) }
}

/** How many bytes came over sockets. */
export function bytesRead(sockets: readonly Socket[]): number {
  return sockets.reduce((sum, socket) => sum + socket.bytesRead, 0)
}
