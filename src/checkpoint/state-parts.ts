// Stage states as parts of a checkpoint: which changed, which are gone, and whether they still fit the flow.

import { SluiceError } from '../base/errors.ts'

/** The part that describes the others. */
const PLAN = 'plan'
/** The format of stored states. In version 2, MurmurHash3 assigns keys to stages, and is used by `countDistinct`. */
const VERSION = 2
/** The part that says that all results of open state were emitted: they are emitted again only if more events come. */
const FIRED = 'fired'
/** The part that holds the next number for an event without a record. */
const RESULTS = 'results'
const GONE = new Uint8Array()

/** The state that an operator has. */
export interface Kept {
  /** Describes the shape of the state; state saved under another description cannot be restored. */
  readonly keeps: string
  /** Whether what it emits at the end is emitted once and for all. */
  readonly forgetsAtEnd: boolean
}

interface Plan {
  readonly version: number
  /** Operator → description of its state. */
  readonly operators: Readonly<Record<string, string>>
}

/**
 * The state of the operators of one flow. A part is the state of one operator in one stage; it is written only when it
 * changed.
 */
export class StateParts {
  readonly #pipeline: string
  readonly #kept: ReadonlyMap<string, Kept>
  /** Part → its committed bytes. */
  readonly #committed: Map<string, Uint8Array>
  /** Epoch → part → its bytes as of that epoch. */
  readonly #epochs = new Map<number, Map<string, Uint8Array>>()
  /** How many events without a record have a number, over all runs and in the current epoch. */
  #results: number

  /**
   * @param kept - operator → its state
   * @param results - how many events without a record have a number, if no checkpoint says so
   * @throws {SluiceError} CHECKPOINT_INVALID if the checkpoint belongs to a flow with other state
   */
  constructor(
    pipeline: string,
    kept: ReadonlyMap<string, Kept>,
    restored: ReadonlyMap<string, Uint8Array> | undefined,
    results = 0,
  ) {
    this.#pipeline = pipeline
    this.#kept = kept
    this.#committed = new Map(restored)
    if (restored !== undefined) this.#check(restored.get(PLAN))
    const counted = restored?.get(RESULTS)
    this.#results = counted === undefined ? results : this.#parseResults(counted)
  }

  /**
   * Numbers for this many events made from many records; returns the first. No other event has one of these, in this
   * run or another. Assigned in the order of epochs: they become final when their epoch is committed, and are assigned
   * again if it was not.
   */
  nextResults(count: number): number {
    this.#results += count
    return this.#results - count
  }

  /** Operator → its states, one for each stage there was. */
  states(): Map<string, Uint8Array[]> {
    const states = new Map<string, Uint8Array[]>()
    for (const [part, bytes] of [...this.#committed].sort(([a], [b]) => stageOf(a) - stageOf(b))) {
      if (part === PLAN || part === FIRED || part === RESULTS) continue
      const operator = operatorOf(part)
      states.set(operator, [...(states.get(operator) ?? []), bytes])
    }
    return states
  }

  /** Whether all results were emitted, and nothing has come since. */
  get hasFired(): boolean {
    return this.#committed.has(FIRED)
  }

  /** All results of open state are emitted with this epoch. */
  fire(epoch: number): void {
    const parts = this.#at(epoch)
    for (const part of parts.keys()) if (this.#kept.get(operatorOf(part))?.forgetsAtEnd === true) parts.delete(part)
    parts.set(FIRED, Uint8Array.of(1))
  }

  /** They were emitted with an earlier epoch, and nothing came since. */
  stayFired(epoch: number): void {
    this.#at(epoch).set(FIRED, Uint8Array.of(1))
  }

  /**
   * @param stage - unique among the stages of one operator: `layer/stage`
   */
  take(epoch: number, stage: string, states: ReadonlyMap<string, Uint8Array>): void {
    const number = stage.slice(stage.lastIndexOf('/') + 1)
    const parts = this.#at(epoch)
    for (const [operator, bytes] of states) parts.set(`${operator}/${number}`, bytes)
  }

  /** What to write with the commit of an epoch; no bytes for parts that are gone. */
  changed(epoch: number): Map<string, Uint8Array> {
    const changed = new Map<string, Uint8Array>()
    if (this.#kept.size === 0 && this.#committed.size === 0 && this.#results === 0) return changed
    const now = this.#now(epoch)
    for (const [part, bytes] of now) {
      const before = this.#committed.get(part)
      if (before === undefined || !equalBytes(before, bytes)) changed.set(part, bytes)
    }
    for (const part of this.#committed.keys()) if (!now.has(part)) changed.set(part, GONE)
    return changed
  }

  committed(epoch: number): void {
    const now = this.#now(epoch)
    this.#epochs.delete(epoch)
    this.#committed.clear()
    for (const [part, bytes] of now) this.#committed.set(part, bytes)
  }

  #at(epoch: number): Map<string, Uint8Array> {
    const parts = this.#epochs.get(epoch) ?? new Map<string, Uint8Array>()
    this.#epochs.set(epoch, parts)
    return parts
  }

  #now(epoch: number): Map<string, Uint8Array> {
    const now = new Map(this.#epochs.get(epoch))
    if (this.#kept.size > 0) now.set(PLAN, this.#plan())
    if (this.#results > 0) now.set(RESULTS, new TextEncoder().encode(String(this.#results)))
    return now
  }

  #plan(): Uint8Array {
    const plan: Plan = {
      version: VERSION,
      operators: Object.fromEntries([...this.#kept].map(([operator, { keeps }]) => [operator, keeps])),
    }
    return new TextEncoder().encode(JSON.stringify(plan))
  }

  #check(stored: Uint8Array | undefined): void {
    const before = stored === undefined ? new Map<string, string>() : this.#parse(stored)
    const differences: string[] = []
    for (const [operator, keeps] of before) {
      const own = this.#kept.get(operator)?.keeps
      if (own === undefined) differences.push(`it holds the state of ${operator}, which the flow does not have`)
      else if (own !== keeps) differences.push(`it holds the state of ${operator} as ${keeps}, which is now ${own}`)
    }
    for (const operator of this.#kept.keys()) {
      if (!before.has(operator)) differences.push(`it has no state for ${operator}`)
    }
    if (differences.length > 0) throw this.#invalid(`the flow has changed: ${differences.join('; ')}`)
  }

  #parse(stored: Uint8Array): Map<string, string> {
    let plan: Plan
    try {
      plan = JSON.parse(new TextDecoder().decode(stored)) as Plan
    } catch (error) {
      throw this.#invalid('the description of its states cannot be read', error)
    }
    if (plan.version !== VERSION)
      throw this.#invalid(`its states have version ${plan.version}, this Sluice reads ${VERSION}`)
    return new Map(Object.entries(plan.operators))
  }

  #parseResults(stored: Uint8Array): number {
    const text = new TextDecoder().decode(stored)
    const count = Number(text)
    if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(count)) return count
    throw this.#invalid(`the number of numbered results cannot be read: found ${JSON.stringify(text.slice(0, 40))}`)
  }

  #invalid(found: string, cause?: unknown): SluiceError<'CHECKPOINT_INVALID'> {
    const pipeline = this.#pipeline
    const hint = 'to start over: sluice checkpoints FILE reset, or give the pipeline another name'
    const message = `Cannot continue from the checkpoint of ${pipeline}: ${found} (${hint})`
    return new SluiceError('CHECKPOINT_INVALID', message, { pipeline, found }, { cause })
  }
}

function operatorOf(part: string): string {
  return part.slice(0, part.lastIndexOf('/'))
}

function stageOf(part: string): number {
  return Number(part.slice(part.lastIndexOf('/') + 1))
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0
}
