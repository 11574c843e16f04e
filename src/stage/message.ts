// The messages between stages: the whole protocol, as data.

import type { Chunk } from './chunk.ts'

/**
 * How a stage, or one subscription, ended. Three different things: everything was emitted; it was no longer wanted;
 * something broke.
 */
export type Ending =
  | { readonly kind: 'completed' }
  | { readonly kind: 'cancelled'; readonly reason: unknown }
  | { readonly kind: 'failed'; readonly error: unknown }

export const COMPLETED: Ending = { kind: 'completed' }

/** A mark in order with the events: it overtakes none of them and none overtakes it. */
export type Marker =
  | { readonly kind: 'watermark'; readonly time: number }
  | { readonly kind: 'barrier'; readonly epoch: number }

/** A marker, or the end, which travels in order, too. */
export type Mark = Marker | { readonly kind: 'end'; readonly ending: Ending }

/** Up: from a consumer to its producer. `L` is the subscription that it travels on. */
export type ToProducer<L> =
  | { readonly kind: 'ask'; readonly link: L; readonly events: number }
  | { readonly kind: 'cancel'; readonly link: L; readonly ending: Ending }

/** Events to be handled. `counted`: how many of them were asked for. */
export interface ToHandle<L> {
  readonly kind: 'events'
  readonly link: L
  readonly events: Chunk<unknown>
  readonly counted: number
}

/** Down: from a producer to one of its consumers. */
export type ToConsumer<L> = ToHandle<L> | { readonly kind: 'mark'; readonly link: L; readonly mark: Mark }

/** From outside: a request that is answered, or a notice that is not. */
export interface ToStage {
  readonly kind: 'message'
  readonly message: unknown
  readonly reply: PromiseWithResolvers<unknown> | undefined
}

/** To itself: a subscription was ended from its own side. */
export interface Left<L> {
  readonly kind: 'left'
  readonly link: L
  readonly ending: Ending
}
