// Connects one consumer to one producer.

import { checkChoice, checkKeys, describeValue } from '../base/check.ts'
import { StageCore } from './core.ts'
import { demandWindow } from './demand.ts'
import { type EndPolicy, Link, type SubscribeOptions, type Subscription } from './link.ts'
import type { Consumer, Producer } from './stage.ts'

/** The options of a subscription. */
export const SUBSCRIPTION_OPTIONS: readonly string[] = [
  'maxDemand',
  'minDemand',
  'cancel',
  'demand',
  'partition',
  'selector',
  'priority',
]

/**
 * Subscribes a consumer to a producer: the consumer then asks, and events come. Any number of either may be connected.
 *
 * Connect from the bottom up (the last consumer first), so that nothing flows before everything is connected; {@link
 * connect} does that, supervises the whole and cleans up: prefer it.
 *
 * @throws {RangeError | TypeError} for invalid options; nothing has happened then
 * @example
 * const seen: number[] = []
 * const keep = consumer<number>({ onEvents: (events) => void seen.push(...events) })
 * subscribe(keep, from([1, 2, 3]), { maxDemand: 2 })
 * await keep.done
 * seen // => [1, 2, 3]
 */
export function subscribe<T>(
  consumer: Consumer<T>,
  producer: Producer<T>,
  options: SubscribeOptions = {},
): Subscription {
  const made = link(consumer, producer, options)
  begin([made])
  return made
}

/**
 * The first half of {@link subscribe}: the stages know each other, and nothing is asked yet. To connect several links,
 * link them all first and begin afterwards, so that no consumer misses what another asked for.
 *
 * @param policy - overrides what the ends mean, for stages that are restarted
 */
export function link(consumer: unknown, producer: unknown, options: SubscribeOptions, policy?: EndPolicy): Link {
  checkLink(consumer, producer, options)
  const to = coreOf(consumer)
  const made = new Link(coreOf(producer), to, options, policy)
  to.join(made)
  return made
}

/** Rejects two stages that cannot be connected, or not with these options; nothing has happened then. */
export function checkLink(consumer: unknown, producer: unknown, options: SubscribeOptions): void {
  const to = coreOf(consumer)
  const from = coreOf(producer)
  if (!to.takesEvents) throw new TypeError(`Cannot subscribe ${to.name}: it receives no events`)
  if (!from.givesEvents) throw new TypeError(`Cannot subscribe to ${from.name}: it emits no events`)
  if (!to.isOpen) throw new Error(`Cannot subscribe ${to.name}: it has ended`)
  checkSubscription(options)
  from.checkSubscription(options)
}

/** The second half: every consumer asks. */
export function begin(links: readonly Link[]): void {
  for (const one of links) coreOf(one.to).begin(one)
}

/** Rejects invalid options of a subscription. */
export function checkSubscription(options: SubscribeOptions): void {
  checkKeys('A subscription', options, SUBSCRIPTION_OPTIONS)
  demandWindow(options)
  checkChoice('cancel', options.cancel ?? 'transient', ['permanent', 'transient', 'temporary'])
  checkChoice('demand', options.demand ?? 'automatic', ['automatic', 'manual'])
}

/** The engine behind a stage. */
export function coreOf(stage: unknown): StageCore {
  if (stage instanceof StageCore) return stage
  throw new TypeError(`A stage is made by producer(), consumer() or producerConsumer(): found ${describeValue(stage)}`)
}
