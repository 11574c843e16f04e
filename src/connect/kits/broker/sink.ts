// What the sinks of brokers have in common: rows become messages, and each is confirmed before a commit.

import type { TwoPhaseSink } from '../../sink.ts'
import type { MessageRules } from './message.ts'
import type { PublishOptions } from './publish-writer.ts'

export interface BrokerSink<Row> extends MessageRules<Row>, Pick<PublishOptions<Row>, 'shown'> {
  /** Also the step of dead letters. */
  readonly kind: string
  readonly title: string
  /** Loads the client when a run opens the sink: programs and threads without a broker start sooner. */
  readonly load: () => Promise<Pick<PublishOptions<Row>, 'connect' | 'mayPass'>>
}

/** A sink that publishes a message for each row, at least once. */
export function brokerSink<Row>({ kind, title, load, ...rules }: BrokerSink<Row>): TwoPhaseSink<Row> {
  return {
    kind,
    title,
    guarantee: 'at-least-once',
    open: async (opening) => {
      const { PublishWriter } = await import('./publish-writer.ts')
      return await PublishWriter.open<Row>({ step: kind, ...rules, ...(await load()) }, opening)
    },
  }
}
