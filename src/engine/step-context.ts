// What the steps of a stage know of it, and what they tell.

import type { Clock } from '../base/clock.ts'
import { stableHash } from '../base/hash.ts'
import type { Beginning } from '../checkpoint/ledger.ts'
import type { DeadLetter } from '../connect/origin.ts'
import { letterOf } from '../flow/letter.ts'
import type { StepContext, StepCounts } from '../flow/step.ts'
import type { Account } from './account.ts'

export interface ContextOptions {
  readonly partition: StepContext['partition']
  /** How many producers its stage will have. */
  readonly inputs: number
  readonly clock: Clock
  readonly account: Account
  /** What its steps count. */
  readonly counts: StepCounts
  /** Of a pipeline: where it begins. An event that cannot go on is a dead letter there. */
  readonly beginning: Pick<Beginning, 'isReplay'> | undefined
}

/** The context of a stage's steps. Dead letters are gathered until they are taken. */
export class StageContext {
  readonly steps: StepContext
  #letters: DeadLetter[] = []
  /** What had been counted when that was last taken. */
  #taken: Readonly<StepCounts> = { filtered: 0, derived: 0 }

  constructor({ partition, inputs, clock, account, counts, beginning }: ContextOptions) {
    this.steps = {
      partition,
      inputs,
      input: 0,
      isStopped: false,
      onError: beginning === undefined ? 'fail' : 'dead-letter',
      isReplay: beginning?.isReplay === true,
      counts,
      nowMs: () => clock.nowMs(),
      wallMs: () => clock.wallMs(),
      owns: (key) => partition.total === 1 || stableHash(key) % partition.total === partition.index,
      late: (operator, batch, index) => {
        account.late(operator, batch.at(index))
        const reason = 'it came too late for its window'
        if (beginning !== undefined) this.#letters.push(letterOf(operator, batch, index, reason))
      },
      dead: (operator, batch, index, reason) => {
        account.dead(operator, batch.at(index), reason)
        if (beginning !== undefined) this.#letters.push(letterOf(operator, batch, index, reason))
      },
      ahead: (operator, timeMs, limitMs) => account.ahead(operator, timeMs, limitMs),
      accuse: (operator, event) => account.accuse(operator, event),
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
