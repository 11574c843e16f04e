import type { Clock } from '../base/clock.ts'
import type { WaitSettings } from '../flow/plan.ts'
import type { DispatcherSpec } from '../stage/dispatcher.ts'
import { producerConsumer } from '../stage/make.ts'
import type { ProducerConsumer } from '../stage/stage.ts'
export interface CallsStageOptions {
  readonly name: string
  readonly make: () => (value: unknown, context: never) => unknown
  readonly settings: WaitSettings
  readonly dispatcher: DispatcherSpec<unknown, never>
  readonly clock: Clock
}
export function callsStage(options: CallsStageOptions): ProducerConsumer<unknown, unknown> {
  const fn = options.make()
  const never = new AbortController().signal
  return producerConsumer<unknown, unknown>({
    name: options.name,
    dispatcher: options.dispatcher,
    onEvents: (events) =>
      Promise.all(events.map((e) => fn(e, { signal: never, attempt: 1, nowMs: options.clock.nowMs() } as never))),
  })
}
