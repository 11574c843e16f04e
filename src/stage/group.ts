// Stages that are restarted when they fail, alone or together.

import { type Backoff, backoffMs, checkBackoff } from '../base/backoff.ts'
import { checkFunctions, checkKeys } from '../base/check.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { messageOf, SluiceError } from '../base/errors.ts'
import { anything, type Checks, checkOptions, choice, integer, milliseconds } from '../base/options.ts'
import type { StageCore } from './core.ts'
import { type Link, RESTARTABLE, type SubscribeOptions } from './link.ts'
import type { Ending } from './message.ts'
import type { Stage, StageStats } from './stage.ts'
import { begin, coreOf, link, SUBSCRIPTION_OPTIONS } from './subscribe.ts'

/** Which stages are restarted when one fails: it alone, all of them, or it and those listed after it. */
export type RestartStrategy = 'one-for-one' | 'one-for-all' | 'rest-for-one'

/** One member of a group. */
export interface Member {
  /** Makes the stage: called at the start and at every restart. */
  readonly start: () => Stage
  /** The members it takes events from, by name, each with options of the subscription if it has any. */
  readonly from?: readonly (string | ({ readonly stage: string } & SubscribeOptions))[]
}

export interface GroupOptions {
  /** `one-for-one` by default. */
  readonly strategy?: RestartStrategy
  /** More restarts than this within `withinMs` fail the group: an integer, 0 or more; 3 by default. */
  readonly maxRestarts?: number
  /** In clock milliseconds; 5000 by default. */
  readonly withinMs?: number
  /** The wait before a restart: 10 ms, doubling up to 1 s while restarts follow each other, by default. */
  readonly backoff?: Backoff
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

const OPTIONS: Checks<GroupOptions> = {
  strategy: choice('one-for-one', 'one-for-all', 'rest-for-one'),
  maxRestarts: integer(0),
  withinMs: milliseconds(1),
  backoff: (name, value) => checkBackoff(`${name} of group`, value as Backoff),
  signal: anything,
  clock: anything,
}

/**
 * Starts stages that are restarted when they fail, and reconnects them.
 *
 * - A stage that fails loses what it had in hand, as every bare stage does: at most once. Its producers and consumers
 *   stay, and continue with its replacement.
 * - A stage that completes is not restarted. The group completes when all of its consumers have completed.
 * - **Fails** with RESTARTS_OVER_LIMIT, with the last error as its cause, when stages fail too often.
 *
 * @param members - name → member, sources first
 * @throws {TypeError | RangeError} if a member takes from an unknown one, or an option is out of bounds
 * @example
 * const seen: number[] = []
 * const running = group({
 *   source: { start: () => from([1, 2, 3]) },
 *   sink: { start: () => consumer<number>({ onEvents: (events) => void seen.push(...events) }), from: ['source'] },
 * })
 * await running.done
 * seen // => [1, 2, 3]
 * @see Erlang/OTP, supervisor: strategies and restart intensity
 */
export function group(members: Readonly<Record<string, Member>>, options: GroupOptions = {}): Group {
  const { strategy = 'one-for-one', maxRestarts = 3, withinMs = 5000, backoff = { firstMs: 10, capMs: 1000 } } = options
  checkOptions('group', options, OPTIONS)
  for (const [name, member] of Object.entries(members)) {
    checkKeys(`${name} of group`, member, ['start', 'from'])
    checkFunctions({ [`start of ${name}`]: member.start })
    for (const one of member.from ?? []) {
      if (typeof one !== 'string') checkKeys(`from of ${name}`, one, ['stage', ...SUBSCRIPTION_OPTIONS])
      const above = typeof one === 'string' ? one : one.stage
      if (!Object.hasOwn(members, above)) throw new TypeError(`${name} takes from ${above}: there is no such member`)
    }
  }
  options.signal?.throwIfAborted()
  return new Group(members, { ...options, strategy, maxRestarts, withinMs, backoff })
}

type Settings = GroupOptions & Required<Pick<GroupOptions, 'strategy' | 'maxRestarts' | 'withinMs' | 'backoff'>>

/** A running group of stages: see {@link group}. */
export class Group {
  readonly #members: ReadonlyMap<string, Member>
  readonly #settings: Settings
  readonly #clock: Clock
  /** Name → its current stage. */
  readonly #stages = new Map<string, StageCore>()
  /** Members that have failed and are about to be restarted, with their errors. */
  readonly #broken = new Map<string, unknown>()
  /** When the restarts of the last `withinMs` were, in clock milliseconds. */
  #restartsMs: number[] = []
  /** How often stages were restarted. */
  restarts = 0
  #isRecovering = false
  /** Set when the group is to end: nothing is restarted any more. */
  readonly #stop = new AbortController()
  /** Whether anybody awaits the outcome. */
  #isWatched = false
  readonly #finished = Promise.withResolvers<void>()

  /** @internal made by `group` */
  constructor(members: Readonly<Record<string, Member>>, settings: Settings) {
    this.#members = new Map(Object.entries(members))
    this.#settings = settings
    this.#clock = settings.clock ?? systemClock
    this.#finished.promise.catch(() => {}) // Handled by `done`; a warning is printed below if nobody awaits it.
    const names = [...this.#members.keys()]
    this.#start(names)
    this.#wire(new Set(names))
    settings.signal?.addEventListener('abort', this.#abort, { once: true })
  }

  /** Resolves when the group has completed and all its stages are closed; rejects with the error that made it fail. */
  get done(): Promise<void> {
    this.#isWatched = true
    return this.#finished.promise
  }

  /** The current stage of a member. */
  stage(name: string): Stage | undefined {
    return this.#stages.get(name)
  }

  stats(): readonly StageStats[] {
    return [...this.#stages.values()].map((stage) => stage.stats())
  }

  /** Stops asking the sources, lets everything through, and ends. */
  drain(): Promise<void> {
    for (const stage of this.#stages.values()) if (!stage.takesEvents) stage.complete()
    return this.done
  }

  /** Ends every stage now; `done` rejects with the reason. */
  async cancel(reason: unknown = new DOMException('The group was cancelled', 'AbortError')): Promise<void> {
    this.#isWatched = true
    void this.#end(reason)
    await this.#finished.promise.catch(() => {}) // `done` rejects with the reason.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain()
  }

  readonly #abort = (): void => void this.#end(this.#settings.signal?.reason)

  #start(names: readonly string[]): void {
    for (const name of names) {
      const stage = coreOf(this.#members.get(name)?.start())
      stage.watch()
      this.#stages.set(name, stage)
      void stage.settled.then((ending) => this.#ended(name, stage, ending))
    }
  }

  /** Connects all subscriptions with an end among `fresh`, the lowest member first. */
  #wire(fresh: ReadonlySet<string>): void {
    const links: Link[] = []
    for (const [name, { from = [] }] of [...this.#members].reverse()) {
      for (const one of from) {
        const { stage: above, ...options } = typeof one === 'string' ? { stage: one } : one
        if (!fresh.has(name) && !fresh.has(above)) continue
        const to = this.#stages.get(name)
        if (to === undefined || !to.isOpen) continue
        const policy = { ...RESTARTABLE, awaitsMore: () => this.#awaitsMore(name) }
        links.push(link(to, this.#stages.get(above), options, policy))
      }
    }
    begin(links)
  }

  /** Whether a member that this one takes from is about to be restarted. */
  #awaitsMore(name: string): boolean {
    return (this.#members.get(name)?.from ?? []).some((one) => {
      const above = this.#stages.get(typeof one === 'string' ? one : one.stage)
      return above === undefined || above.ending?.kind === 'failed'
    })
  }

  #ended(name: string, stage: StageCore, ending: Ending): void {
    if (this.#stages.get(name) !== stage || this.#stop.signal.aborted) return
    if (ending.kind !== 'failed') return this.#finishIfDone()
    this.#broken.set(name, ending.error)
    if (!this.#isRecovering) void this.#recover()
  }

  async #recover(): Promise<void> {
    this.#isRecovering = true
    try {
      while (this.#broken.size > 0 && !this.#stop.signal.aborted) await this.#restart()
    } catch (error) {
      if (!this.#stop.signal.aborted) await this.#end(error)
    } finally {
      this.#isRecovering = false
    }
    this.#finishIfDone()
  }

  async #restart(): Promise<void> {
    const names = this.#affected()
    const [first = '', error] = [...this.#broken][0] ?? []
    this.#broken.clear()
    this.#countRestart(first, error)
    const others = names.map((name) => this.#stages.get(name)).filter((stage) => stage !== undefined)
    // These endings are ours, not failures: the stages no longer belong to their names.
    for (const name of names) this.#stages.delete(name)
    for (const stage of others) stage.cancel(error)
    await Promise.all(others.map((stage) => stage.settled))
    await this.#clock.sleep(backoffMs(this.#restartsMs.length, this.#settings.backoff), this.#stop.signal)
    this.restarts += 1
    this.#start(names)
    this.#wire(new Set(names))
  }

  /** The members to restart, in order; completed ones stay completed. */
  #affected(): string[] {
    const names = [...this.#members.keys()]
    const { strategy } = this.#settings
    const first = names.findIndex((name) => this.#broken.has(name))
    return names.filter((name, index) => {
      if (this.#broken.has(name)) return true
      if (strategy === 'one-for-one' || this.#stages.get(name)?.ending?.kind === 'completed') return false
      return strategy === 'one-for-all' || index > first
    })
  }

  #countRestart(stage: string, cause: unknown): void {
    const { maxRestarts, withinMs } = this.#settings
    const nowMs = this.#clock.nowMs()
    this.#restartsMs = [...this.#restartsMs.filter((atMs) => atMs > nowMs - withinMs), nowMs]
    const restarts = this.#restartsMs.length
    if (restarts <= maxRestarts) return
    const message = `Cannot restart ${stage}: stages failed ${restarts} times within ${withinMs} ms, the last with: ${messageOf(cause)}`
    throw new SluiceError('RESTARTS_OVER_LIMIT', message, { stage, restarts, withinMs }, { cause })
  }

  #finishIfDone(): void {
    if (this.#isRecovering || this.#broken.size > 0) return
    const all = [...this.#stages.values()]
    const consumers = all.filter((stage) => !stage.givesEvents)
    // A member that has failed is about to be restarted, whether or not that was reported yet.
    const isOver = (stage: StageCore): boolean => stage.ending !== undefined && stage.ending.kind !== 'failed'
    if ((consumers.length > 0 ? consumers : all).every(isOver)) void this.#end(undefined)
  }

  /** Ends what is left, awaits it, and settles: with an error if there is one. */
  async #end(error: unknown): Promise<void> {
    if (this.#stop.signal.aborted) return
    this.#stop.abort(error)
    this.#settings.signal?.removeEventListener('abort', this.#abort)
    const all = [...this.#stages.values()]
    for (const stage of all) {
      if (error !== undefined) stage.giveUp()
      stage.cancel(error)
    }
    await Promise.all(all.map((stage) => stage.settled))
    if (error === undefined) return this.#finished.resolve()
    this.#finished.reject(error)
    if (!this.#isWatched) {
      process.emitWarning(`A group of stages failed and nobody awaits it: ${messageOf(error)}`)
    }
  }
}
