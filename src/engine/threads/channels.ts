// The ends of channels between threads: sending and receiving stages, over one port for all channels.

import type { Transferable } from 'node:worker_threads'
import { batchFrom } from '../../connect/batch.ts'
import type { StageCore } from '../../stage/core.ts'
import type { Subscription } from '../../stage/link.ts'
import { chunkStage } from '../../stage/make.ts'
import type { WorkTime } from '../../stage/work-time.ts'
import { bytesOf, type Packed, Packer, transferablesOf, Unpacker } from '../codec/codec.ts'
import type { ChannelMessage } from './message.ts'

/** The part of a MessagePort that channels need. */
export interface Post {
  postMessage(message: ChannelMessage, transfer?: readonly Transferable[]): void
}

/** All channels between this thread and one other. */
export class Channels {
  readonly #port: Post
  readonly #came: (events: number, bytes: number) => void
  readonly #senders = new Map<string, Sender>()
  readonly #receivers = new Map<string, StageCore>()
  readonly #packer = new Packer()
  readonly #unpacker = new Unpacker()
  /** Set if the time of unpacking is measured. */
  time: WorkTime | undefined

  /**
   * @param came - called with how many events came, and about how many bytes
   */
  constructor(port: Post, came: (events: number, bytes: number) => void) {
    this.#port = port
    this.#came = came
  }

  /**
   * A consumer that sends events, as far as the other side has asked.
   *
   * @param isTracked - whether events carry their origins
   */
  sender(channel: string, isTracked = false): StageCore {
    const sender = new Sender({ channel, isTracked }, this.#port, this.#packer)
    this.#senders.set(channel, sender)
    return sender.stage
  }

  /** A producer that emits what the other side sends. */
  receiver(channel: string): StageCore {
    const receiver = chunkStage('producer', {
      name: `channel ${channel}`,
      unwanted: 'end',
      // Whatever comes was asked for.
      bufferSize: Number.POSITIVE_INFINITY,
      onDemand: (events) => {
        this.#port.postMessage({ kind: 'ask', channel, events })
      },
      onEnd: ({ kind }) => {
        if (kind !== 'completed') this.#port.postMessage({ kind: 'cancel', channel })
      },
    })
    this.#receivers.set(channel, receiver)
    return receiver
  }

  /** A message has come. */
  receive(wire: ChannelMessage): void {
    if (wire.kind === 'ask') return this.#senders.get(wire.channel)?.ask(wire.events)
    if (wire.kind === 'cancel') return this.#senders.get(wire.channel)?.stage.cancel()
    const receiver = this.#receivers.get(wire.channel)
    if (receiver === undefined || receiver.ending !== undefined) return
    if (wire.kind === 'events') this.#take(receiver, wire.packed)
    else if (wire.kind === 'watermark') receiver.watermark(wire.time)
    else if (wire.kind === 'barrier') receiver.barrier(wire.epoch)
    else receiver.complete()
  }

  #take(receiver: StageCore, packed: Packed): void {
    this.time?.enter()
    const events = this.#unpacker.unpack(packed)
    this.time?.leave()
    if (events.length > 0) this.#came(events.length, bytesOf(packed))
    receiver.emit(events)
  }
}

class Sender {
  readonly stage: StageCore
  #subscription: Subscription | undefined
  /** Demand of the other side that arrived before the sender was made. */
  #held = 0

  constructor(
    { channel, isTracked }: { readonly channel: string; readonly isTracked: boolean },
    port: Post,
    packer: Packer,
  ) {
    this.stage = chunkStage('consumer', {
      name: `channel ${channel}`,
      onSubscribe: (subscription) => {
        this.#subscription = subscription
        subscription.ask(this.#held)
        return 'manual'
      },
      onEvents(events) {
        const packed = packer.pack(batchFrom(events), isTracked)
        port.postMessage({ kind: 'events', channel, packed }, transferablesOf(packed))
      },
      onWatermark(time) {
        port.postMessage({ kind: 'watermark', channel, time })
      },
      onBarrier(epoch) {
        port.postMessage({ kind: 'barrier', channel, epoch })
      },
      onEnd({ kind }) {
        // What was cut off has not ended: the worker reports the reason on another port, maybe later.
        if (kind === 'completed') port.postMessage({ kind: 'end', channel })
      },
    })
  }

  /** The other side wants more. */
  ask(events: number): void {
    if (this.#subscription === undefined) this.#held += events
    else this.#subscription.ask(events)
  }
}
