// TLS in front of a server that has none, and that tells others where it is: what it says of itself is changed on its way.

import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { createServer, type Server } from 'node:tls'

export interface TlsFront {
  readonly port: number
  stop(): Promise<void>
}

/** @param targetPort - of a server on 127.0.0.1, that tells of itself by that address and a number of four bytes */
export async function tlsFront(targetPort: number, key: string, cert: string): Promise<TlsFront> {
  const server: Server = createServer({ key, cert }, (client) => {
    const target = connect(targetPort, '127.0.0.1')
    client.pipe(target)
    target.on('data', (bytes: Buffer) => client.write(elsewhere(bytes, targetPort, portOf(server))))
    target.on('close', () => client.destroy())
    client.on('close', () => target.destroy())
    for (const socket of [client, target]) socket.on('error', () => {}) // The other end is gone.
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: portOf(server),
    stop: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

function elsewhere(bytes: Buffer, from: number, to: number): Buffer {
  const place = (port: number): Buffer => {
    const number = Buffer.alloc(4)
    number.writeInt32BE(port)
    return Buffer.concat([Buffer.from('127.0.0.1'), number])
  }
  const changed = Buffer.from(bytes)
  const [old, made] = [place(from), place(to)]
  for (let at = changed.indexOf(old); at >= 0; at = changed.indexOf(old, at + 1)) made.copy(changed, at)
  return changed
}
