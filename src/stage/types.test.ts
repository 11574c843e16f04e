import { equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { connect } from './connect.ts'
import { from } from './from.ts'
import type { ConsumerSpec, ProducerSpec } from './hooks.ts'
import { consumer, producer, producerConsumer } from './make.ts'
import type { Consumer, Producer } from './stage.ts'
import { subscribe } from './subscribe.ts'
import { toIterable } from './to.ts'

/** What must not compile: checked by the compiler, which fails where an expected error does not come. */
export function misuse(): void {
  const numbers = producer<number>({})
  const texts = producer<string>({})
  const sink = consumer<number>({ onEvents: () => {} })
  const show = producerConsumer<number, string>({ onEvents: (events) => events.map(String) })

  // @ts-expect-error a consumer of numbers cannot take texts
  subscribe(sink, texts)
  // @ts-expect-error nor in a chain
  void connect(texts, sink)
  // @ts-expect-error a stage in the middle gives texts here
  void connect(numbers, show, sink)
  // @ts-expect-error and takes numbers
  void connect(texts, show, consumer<string>({ onEvents: () => {} }))
  // @ts-expect-error a chain does not begin with a consumer
  void connect(sink, sink)
  // @ts-expect-error nor end with a producer
  void connect(numbers, numbers)
  // @ts-expect-error a consumer gives nothing
  sink.emit([1])
  // @ts-expect-error not in its hooks either
  consumer<number>({ onEvents: (events, _from, self) => self.emit(events) })
  // @ts-expect-error nor by what its hook gives
  const given: ConsumerSpec<number> = { onEvents: (events): readonly number[] => events }
  // @ts-expect-error a producer gives what it says
  const wrong: ProducerSpec<number> = { onDemand: () => ['text'] }
  // @ts-expect-error a producer has no onEvents
  producer<number>({ onEvents: () => {} })
  // @ts-expect-error a misspelled option is not an option
  void connect([1], sink, { maxDemands: 10 })
  // @ts-expect-error the events of a chain are those of its last stage
  const out: AsyncIterable<number> = toIterable([1], show)
  void [given, wrong, out]
}

/** What must compile, without a type written out. */
export function use(): [Producer<number>, Consumer<string>] {
  const inferred = from([1, 2, 3])
  const wide = consumer<number | string>({ onEvents: () => {} })
  subscribe(wide, inferred)
  return [inferred, wide]
}

describe('the types of stages', () => {
  it('D1: keep a consumer from giving: there is nothing to give with', () => {
    const sink: object = consumer<number>({ onEvents: () => {} })
    equal(typeof misuse, 'function')
    equal(typeof use, 'function')
    throws(() => subscribe(consumer<number>({ onEvents: () => {} }), sink as never), /it emits no events/)
  })
})
