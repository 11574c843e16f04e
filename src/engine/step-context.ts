// What the steps of a stage know about it, and report.

import type { Clock } from '../base/clock.ts'
import { stableHash } from '../base/hash.ts'
import type { ResumePoint } from '../checkpoint/epoch-reports.ts'
import type { DeadLetter } from '../connect/origin.ts'
import { deadLetterOf } from '../flow/dead-letter.ts'
import type { StepContext, StepCounts } from '../flow/step.ts'
import type { RejectionLog } from './rejection-log.ts'

export interface ContextOptions {
  readonly partition: StepContext['partition']
  /** How many producers its stage will have. */
  readonly inputs: number
  readonly clock: Clock
  readonly rejections: RejectionLog
  /** What its steps count. */
  readonly counts: StepCounts
  /** Of a pipeline: where it starts. A rejected event becomes a dead letter there. */
  readonly resumePoint: Pick<ResumePoint, 'isReplay'> | undefined
}

/** The context of a stage's steps. Dead letters are gathered until they are taken. */
export class StageContext {
  readonly steps: StepContext
  #letters: DeadLetter[] = []
  /** The counts at the last take. */
  #taken: Readonly<StepCounts> = { filtered: 0, derived: 0 }

  constructor({ partition, inputs, clock, rejections, counts, resumePoint }: ContextOptions) {
    this.steps = {
      partition,
      inputs,
      input: 0,
      isStopped: false,
      onError: resumePoint === undefined ? 'fail' : 'dead-letter',
      isReplay: resumePoint?.isReplay === true,
      counts,
      nowMs: () => clock.nowMs(),
      wallMs: () => clock.wallMs(),
      owns: (key) => partition.total === 1 || stableHash(key) % partition.total === partition.index,
      late: (operator, batch, index) => {
        rejections.late(operator, batch.at(index))
        const reason = 'it came too late for its window'
        if (resumePoint !== undefined) this.#letters.push(deadLetterOf(operator, batch, index, reason))
      },
      dead: (operator, batch, index, reason) => {
        rejections.dead(operator, batch.at(index), reason)
        if (resumePoint !== undefined) this.#letters.push(deadLetterOf(operator, batch, index, reason))
      },
      ahead: (operator, timeMs, limitMs) => rejections.ahead(operator, timeMs, limitMs),
      noted: (note) => rejections.noted(note),
      recordFailure: (operator, event) => rejections.recordFailure(operator, event),
    }
  }

  /** What the steps have counted since the last call. */
  takeCounts(): Readonly<StepCounts> {
    const { filtered, derived } = this.steps.counts
    const before = this.#taken
    this.#taken = { filtered, derived }
    return { filtered: filtered - before.filtered, derived: derived - before.derived }
  }

  /** Dead letters since the last call; none in a flow. */
  takeLetters(): readonly DeadLetter[] {
    return this.#letters.splice(0)
  }
}
