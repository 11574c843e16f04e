// A consumer that records what it got, and a producer that follows a script.

import { checkKeys } from '../base/check.ts'
import type { Awaitable } from '../stage/hooks.ts'
import type { SubscribeOptions, Subscription } from '../stage/link.ts'
import { consumer, producer } from '../stage/make.ts'
import type { Ending } from '../stage/message.ts'
import type { Scheduler } from '../stage/scheduler.ts'
import type { Consumer, Producer } from '../stage/stage.ts'
import { subscribe } from '../stage/subscribe.ts'

/** One thing that came to a probe: events, or a mark among them. */
export type Received<T> =
  | { readonly events: readonly T[] }
  | { readonly watermark: number }
  | { readonly barrier: number }

export interface ProbeOptions<T> {
  readonly name?: string
  /** Awaited after each batch: a slow consumer. */
  readonly onEvents?: (events: readonly T[]) => Awaitable<void>
  readonly scheduler?: Scheduler
}

/**
 * A consumer for tests: it records what it got, in order.
 *
 * @example
 * const probe = new Probe<number>()
 * probe.subscribe(from([1, 2, 3]), { maxDemand: 2, minDemand: 0 })
 * await probe.stage.done
 * probe.batches // => [[1, 2], [3]]
 * probe.events // => [1, 2, 3]
 */
export class Probe<T> {
  readonly stage: Consumer<T>
  /** Everything that came, in order. */
  readonly received: Received<T>[] = []
  readonly subscriptions: Subscription[] = []
  /** How each subscription ended, in order. */
  readonly endings: Ending[] = []

  constructor(options: ProbeOptions<T> = {}) {
    checkKeys('Probe', options, ['name', 'onEvents', 'scheduler'])
    const { name = 'probe', onEvents, scheduler } = options
    this.stage = consumer<T>({
      name,
      onEvents: (events) => {
        this.received.push({ events: [...events] })
        return onEvents?.(events)
      },
      onWatermark: (watermark) => void this.received.push({ watermark }),
      onBarrier: (barrier) => void this.received.push({ barrier }),
      onCancel: (_subscription, ending) => void this.endings.push(ending),
      ...(scheduler === undefined ? {} : { scheduler }),
    })
  }

  /** What each call of the handler got. */
  get batches(): (readonly T[])[] {
    return this.received.flatMap((one) => ('events' in one ? [one.events] : []))
  }

  get events(): T[] {
    return this.batches.flat()
  }

  /** Events and marks in order: `1, 2, 'watermark 5', 3`. */
  get line(): (T | string)[] {
    return this.received.flatMap((one): (T | string)[] => {
      if ('events' in one) return [...one.events]
      return ['watermark' in one ? `watermark ${one.watermark}` : `barrier ${one.barrier}`]
    })
  }

  subscribe(producer: Producer<T>, options: SubscribeOptions = {}): Subscription {
    const subscription = subscribe(this.stage, producer, options)
    this.subscriptions.push(subscription)
    return subscription
  }

  /** Asks by hand, on the first subscription, which must be manual. */
  ask(events: number): void {
    this.subscriptions[0]?.ask(events)
  }
}

/** In a script: what is asked for here is not emitted until the next demand. */
export const REST: unique symbol = Symbol('rest')

/** The output of a scripted producer: events, a rest, or an error that it fails with. */
export type Line<T> = T | typeof REST | Error

export interface ScriptedOptions {
  readonly name?: string
  readonly scheduler?: Scheduler
}

/**
 * A producer for tests: it emits the lines of its script as it is asked, records the demands that reached it, and
 * completes at the end.
 *
 * @example
 * const source = new Scripted<number>([1, 2, REST, 3])
 * const probe = new Probe<number>()
 * probe.subscribe(source.stage, { maxDemand: 10 })
 * await atRest()
 * probe.events // => [1, 2]
 * source.demands // => [10]
 */
export class Scripted<T> {
  readonly stage: Producer<T>
  /** The demands that reached the source. */
  readonly demands: number[] = []
  readonly #script: Line<T>[]

  constructor(script: Iterable<Line<T>>, options: ScriptedOptions = {}) {
    checkKeys('Scripted', options, ['name', 'scheduler'])
    this.#script = [...script]
    this.stage = producer<T>({
      name: 'scripted',
      ...options,
      onDemand: (demand, self) => {
        this.demands.push(demand)
        return this.#give(demand, self)
      },
    })
  }

  #give(demand: number, self: Producer<T>): T[] {
    const events: T[] = []
    while (events.length < demand) {
      const line = this.#script.shift()
      if (line === REST) return events
      if (line instanceof Error) {
        self.emit(events)
        throw line
      }
      if (line === undefined) {
        self.complete()
        return events
      }
      events.push(line)
    }
    if (this.#script.length === 0) self.complete()
    return events
  }
}
