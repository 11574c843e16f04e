// One rule for sinks, with the desks that it is checked at.

import type { SinkOptions } from '../../../connect/sink.ts'
import { Calls } from '../calls.ts'
import { SinkDesk } from './desk.ts'
import type { SinkPlace, SinkSubject } from './subject.ts'

/** One rule for sinks. */
export interface SinkRule {
  readonly name: string
  readonly check: () => Promise<void>
}

/** Makes a desk; all of them are closed when the check is done. */
export type NewDesk<Row> = (opening?: Partial<SinkOptions>) => SinkDesk<Row>

/** Makes a rule of a check with desks over one place. */
export type RuleOf<Row> = (
  name: string,
  check: (desk: SinkDesk<Row>, another: NewDesk<Row>, place: SinkPlace<Row>) => Promise<void>,
) => SinkRule

/** Makes rules for a sink. */
export function rulesOf<Row>(subject: SinkSubject<Row>): RuleOf<Row> {
  return (name, check) => ({
    name,
    async check() {
      const [made, calls] = [await subject.make(), new Calls()]
      const place = { sink: calls.of('sink', made.sink), visible: () => made.visible() }
      const desks: SinkDesk<Row>[] = []
      const another: NewDesk<Row> = (opening) => {
        const desk = new SinkDesk(subject, place, opening)
        desks.push(desk)
        return desk
      }
      try {
        await calls.under(name, async () => await check(another(), another, place))
      } finally {
        for (const desk of desks) await desk.close()
        await made.close?.()
      }
    },
  })
}
