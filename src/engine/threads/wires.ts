// The ends of channels between threads: a stage that sends, a stage that receives, over one port for all channels.

import type { Transferable } from 'node:worker_threads'
import type { StageCore } from '../../stage/core.ts'
import type { Subscription } from '../../stage/link.ts'
import { consumer, producer } from '../../stage/make.ts'
import type { Consumer, Producer } from '../../stage/stage.ts'
import { coreOf } from '../../stage/subscribe.ts'
import { bytesOf, Packer, transferablesOf, Unpacker } from '../codec/codec.ts'
import type { Wire } from './message.ts'

/** The part of a MessagePort that wires need. */
export interface Post {
  postMessage(message: Wire, transfer?: readonly Transferable[]): void
}

/** The most bytes under way on one channel: with more, nothing is asked for until some have been taken. */
const BYTES_UNDER_WAY = 16 * 1024 * 1024

/** All channels between this thread and one other. */
export class Wires {
  readonly #port: Post
  readonly #senders = new Map<string, Sender>()
  readonly #receivers = new Map<string, Producer<unknown>>()
  readonly #packer = new Packer()
  readonly #unpacker = new Unpacker()

  constructor(port: Post) {
    this.#port = port
  }

  /** A consumer that sends what it is given, as far as the other side has asked. */
  sender(channel: string): StageCore {
    const sender = new Sender(channel, this.#port, this.#packer)
    this.#senders.set(channel, sender)
    return coreOf(sender.stage)
  }

  /** A producer that gives what the other side sends. */
  receiver(channel: string): StageCore {
    const receiver = producer<unknown>({
      name: `channel ${channel}`,
      unwanted: 'end',
      // What comes was asked for.
      bufferSize: Number.POSITIVE_INFINITY,
      onDemand: (events) => {
        this.#port.postMessage({ kind: 'ask', channel, events })
      },
      onEnd: ({ kind }) => {
        if (kind !== 'completed') this.#port.postMessage({ kind: 'cancel', channel })
      },
    })
    this.#receivers.set(channel, receiver)
    return coreOf(receiver)
  }

  /** A message has come. */
  receive(wire: Wire): void {
    if (wire.kind === 'ask') return this.#senders.get(wire.channel)?.ask(wire.events)
    if (wire.kind === 'cancel') return this.#senders.get(wire.channel)?.stage.cancel()
    const receiver = this.#receivers.get(wire.channel)
    if (receiver === undefined || receiver.ending !== undefined) return
    if (wire.kind === 'events') receiver.emit(this.#unpacker.unpack(wire.packed))
    else if (wire.kind === 'watermark') receiver.watermark(wire.time)
    else if (wire.kind === 'barrier') receiver.barrier(wire.epoch)
    else if (wire.how === 'completed') receiver.complete()
    else receiver.cancel()
  }
}

class Sender {
  readonly stage: Consumer<unknown>
  readonly #channel: string
  readonly #port: Post
  readonly #packer: Packer
  #subscription: Subscription | undefined
  /** Batches under way, oldest first: how many of their events the other side has not taken, and their bytes. */
  readonly #sent: { events: number; readonly bytes: number }[] = []
  #bytes = 0
  /** Asked for by the other side, and not yet of this one. */
  #held = 0
  /** Events that the other side may still send an ask for without having taken any: its first one. */
  #hasAsked = false

  constructor(channel: string, port: Post, packer: Packer) {
    this.#channel = channel
    this.#port = port
    this.#packer = packer
    this.stage = consumer<unknown>({
      name: `channel ${channel}`,
      onSubscribe: (subscription) => {
        this.#subscription = subscription
        this.#askOn()
        return 'manual'
      },
      onEvents: (events) => this.#send(events),
      onWatermark: (time) => {
        this.#port.postMessage({ kind: 'watermark', channel, time })
      },
      onBarrier: (epoch) => {
        this.#port.postMessage({ kind: 'barrier', channel, epoch })
      },
      onEnd: ({ kind }) => {
        if (kind !== 'failed') this.#port.postMessage({ kind: 'end', channel, how: kind })
      },
    })
  }

  /** The other side wants more: but for its first ask, because it has taken as many. */
  ask(events: number): void {
    if (this.#hasAsked) this.#took(events)
    this.#hasAsked = true
    this.#held += events
    this.#askOn()
  }

  #askOn(): void {
    if (this.#subscription === undefined || this.#held === 0 || this.#bytes > BYTES_UNDER_WAY) return
    const events = this.#held
    this.#held = 0
    this.#subscription.ask(events)
  }

  #send(events: readonly unknown[]): void {
    const packed = this.#packer.pack(events)
    const bytes = bytesOf(packed)
    this.#sent.push({ events: events.length, bytes })
    this.#bytes += bytes
    this.#port.postMessage({ kind: 'events', channel: this.#channel, packed }, transferablesOf(packed))
  }

  #took(events: number): void {
    let left = events
    for (let first = this.#sent[0]; first !== undefined && left > 0; first = this.#sent[0]) {
      const taken = Math.min(left, first.events)
      first.events -= taken
      left -= taken
      if (first.events > 0) return
      this.#bytes -= first.bytes
      this.#sent.shift()
    }
  }
}
