import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttp } from 'node:http'
import { type AddressInfo, createServer as createNet } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, it } from 'node:test'
import { GrpcClient, GrpcError } from './client.ts'
import { messagesOf } from './frames.ts'
import { answering, GrpcServer, type Routes } from './server.ts'

const LOOPBACK = { host: '127.0.0.1', port: 0 }
const MIB = 1024 * 1024

describe('messages of gRPC', () => {
  it('are whole, however the stream is cut', async () => {
    const bytes = Buffer.concat(['', 'a', 'many words', ''].map(framed))
    for (let size = 1; size <= bytes.length; size += 1) {
      const found: string[] = []
      for await (const message of messagesOf(cut(bytes, size))) found.push(message.toString())
      deepEqual(found, ['', 'a', 'many words', ''])
    }
  })

  it('are refused if they end early, or are compressed', async () => {
    const read = async (bytes: Buffer): Promise<void> => {
      for await (const _ of messagesOf(cut(bytes, 3))) ok(true)
    }
    await rejects(read(framed('cut off').subarray(0, 9)), /stream ended within it/)
    await rejects(read(Buffer.from([1, 0, 0, 0, 0])), /it is compressed/)
  })
})

describe('a client and a server of gRPC', () => {
  it('exchange messages in both directions, large and empty ones, in order', async () => {
    await using server = await GrpcServer.listen({ '/echo': echo }, LOOPBACK)
    await using client = new GrpcClient(`127.0.0.1:${server.port}`)
    const { messages, send, end } = client.open('/echo')
    const sizes = [0, 1, 10 * MIB, 5, 0, 3 * MIB]
    const sending = (async () => {
      for (const [index, size] of sizes.entries()) await send(Buffer.alloc(size, index))
      end()
    })()
    const found: Buffer[] = []
    for await (const message of messages) found.push(message)
    await sending
    deepEqual(
      found.map(({ length }) => length),
      sizes,
    )
    ok(found.every((message, index) => message.every((byte) => byte === index)))
  })

  it('let a sender wait until the other side has read', async () => {
    const read = Promise.withResolvers<void>()
    const slow: Routes[string] = async ({ messages }) => {
      await read.promise
      for await (const _ of messages) ok(true)
    }
    await using server = await GrpcServer.listen({ '/slow': slow }, LOOPBACK)
    await using client = new GrpcClient(`127.0.0.1:${server.port}`)
    const { messages, send, end } = client.open('/slow')
    let sent = 0
    const sending = (async () => {
      for (; sent < 64; sent += 1) await send(Buffer.alloc(MIB))
      end()
    })()
    // Another call takes its way to the server and back while this one waits.
    await rejects(client.call('/none', Buffer.alloc(0)), GrpcError)
    ok(sent < 64, `${sent} messages were taken by nobody`)
    read.resolve()
    await sending
    for await (const _ of messages) ok(false)
    equal(sent, 64)
  })

  it('tell what the server says of a call that it rejects', async () => {
    const failing = answering(() => {
      throw new Error('no: 100 % of it\nis wrong')
    })
    await using server = await GrpcServer.listen({ '/fail': failing }, LOOPBACK)
    await using client = new GrpcClient(`127.0.0.1:${server.port}`)
    await rejects(client.call('/fail', Buffer.alloc(0)), { status: 2, message: /no: 100 % of it\nis wrong$/ })
    await rejects(client.call('/none', Buffer.alloc(0)), { status: 12, message: /unknown method \/none$/ })
  })

  it('tell what is wrong where nobody listens, or something else', async () => {
    const free = createNet().listen(0, '127.0.0.1')
    await once(free, 'listening')
    const { port } = free.address() as AddressInfo
    free.close()
    await rejects(new GrpcClient(`127.0.0.1:${port}`).call('/x', Buffer.alloc(0)), {
      status: undefined,
      message: /ECONNREFUSED/,
    })
    const web = createHttp((_, response) => response.end('hello')).listen(0, '127.0.0.1')
    await once(web, 'listening')
    const at = (web.address() as AddressInfo).port
    await rejects(new GrpcClient(`127.0.0.1:${at}`).call('/x', Buffer.alloc(0)), {
      name: 'GrpcError',
      status: undefined,
    })
    web.close()
  })

  it('end their streams when the other side goes away', async () => {
    const held: Routes[string] = async ({ messages, send }) => {
      await send(Buffer.from('here'))
      for await (const _ of messages) ok(true)
    }
    const server = await GrpcServer.listen({ '/held': held }, LOOPBACK)
    const client = new GrpcClient(`127.0.0.1:${server.port}`)
    const { messages } = client.open('/held')
    const found: string[] = []
    await rejects(async () => {
      for await (const message of messages) {
        found.push(message.toString())
        await server[Symbol.asyncDispose]()
      }
    }, GrpcError)
    deepEqual(found, ['here'])
  })
})

const echo: Routes[string] = async ({ messages, send }) => {
  for await (const message of messages) await send(message)
}

function framed(text: string): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(Buffer.byteLength(text), 1)
  return Buffer.concat([header, Buffer.from(text)])
}

function cut(bytes: Buffer, size: number): Duplex {
  const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  )
  return Duplex.from(parts)
}
