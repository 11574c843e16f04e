// A consumer that runs one task for each event, a bounded number of them at a time.

import { type Backoff, checkBackoff } from '../base/backoff.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { aFunction, anything, type Checks, checkOptions, integer, milliseconds } from '../base/options.ts'
import { untilAborted } from '../base/promise.ts'
import { Ring } from '../base/ring.ts'
import { type Attempt, withAttempts } from './attempts.ts'
import { askAt, type DemandWindow, demandWindow } from './demand.ts'
import type { Subscription } from './link.ts'
import { consumer } from './make.ts'
import type { Consumer } from './stage.ts'

/** What one attempt of a task gets beside its event. */
export type TaskContext = Attempt

export interface TasksSpec<In> {
  readonly name?: string
  readonly task: (event: In, context: TaskContext) => unknown
  /** The most tasks at a time: an integer, 1 or more. */
  readonly concurrency: number
  /** More is asked for once at most this many are under way: 0 to `concurrency - 1`, which is the default. */
  readonly minDemand?: number
  /** Attempts in total before a task has failed: an integer, 1 or more; 1 by default. */
  readonly attempts?: number
  /** The wait between attempts: 100 ms, doubling up to 10 s, by default. */
  readonly backoff?: Backoff
  /** The timeout of one attempt, in clock milliseconds; none by default. Its signal is aborted then. */
  readonly timeoutMs?: number
  /** How long a stage that fails or is cancelled waits for tasks under way, in clock milliseconds; 5000 by default. */
  readonly drainTimeoutMs?: number
  /** Called for a task that has failed for good; without it the stage fails with the task's error. */
  readonly onFailure?: (event: In, error: unknown) => void
  readonly clock?: Clock
}

const OPTIONS: Checks<TasksSpec<never>> = {
  name: anything,
  task: aFunction,
  concurrency: anything,
  minDemand: anything,
  attempts: integer(1),
  backoff: (name, value) => checkBackoff(`${name} of tasks`, value as Backoff),
  timeoutMs: milliseconds(1),
  drainTimeoutMs: milliseconds(),
  onFailure: aFunction,
  clock: anything,
}

/**
 * A consumer that starts `task` for every event, as they come, and asks for more as tasks end: a free slot is filled at
 * once, whatever the others are doing.
 *
 * - **Completes** after its producers, when the last task has ended.
 * - **Fails** with the error of the first task that has failed for good, unless `onFailure` takes it; the signals of
 *   the tasks under way are aborted, and they are awaited, up to `drainTimeoutMs`.
 *
 * @throws {RangeError} for numbers out of bounds
 * @example
 * const seen: number[] = []
 * const sink = tasks<number>({ concurrency: 4, task: async (n) => void seen.push(n * n) })
 * await (await connect([1, 2, 3], sink)).done
 * seen // => [1, 4, 9]
 * @see GenStage, lib/consumer_supervisor.ex; its min_demand was the number asked for again, here it is the usual rule
 */
export function tasks<In>(spec: TasksSpec<In>): Consumer<In> {
  checkOptions('tasks', spec, OPTIONS)
  if (typeof spec.task !== 'function') throw new TypeError(`task must be a function: found ${typeof spec.task}`)
  const { concurrency, minDemand = concurrency - 1, attempts = 1, drainTimeoutMs = 5000 } = spec
  const window = demandWindow({ maxDemand: concurrency, minDemand })
  const pool = new TaskPool<In>({ ...spec, attempts, drainTimeoutMs }, window)
  const stage: Consumer<In> = consumer<In>({
    name: spec.name ?? 'tasks',
    onSubscribe: (subscription) => pool.open(subscription),
    onEvents: (events, from) => pool.start(events, from, stage),
    onComplete: (self) => pool.idle(self.signal),
    closeTimeoutMs: drainTimeoutMs,
    onEnd: (ending) => pool.close(ending.kind === 'completed' ? undefined : ending),
  })
  return stage
}

type PoolSpec<In> = TasksSpec<In> & { readonly attempts: number; readonly drainTimeoutMs: number }

const DEFAULT_BACKOFF: Backoff = { firstMs: 100, capMs: 10_000 }

class TaskPool<In> {
  readonly #spec: PoolSpec<In>
  readonly #window: DemandWindow
  readonly #clock: Clock
  readonly #stop = new AbortController()
  /** Subscription → asked for and not yet done. */
  readonly #missing = new Map<Subscription, number>()
  /** Events beyond the slots: only with several producers. */
  readonly #waiting = new Ring<{ readonly event: In; readonly from: Subscription }>()
  #running = 0
  /** Awaited until no task is under way. */
  #idle: PromiseWithResolvers<void> | undefined

  constructor(spec: PoolSpec<In>, window: DemandWindow) {
    this.#spec = spec
    this.#window = window
    this.#clock = spec.clock ?? systemClock
  }

  open(subscription: Subscription): 'manual' {
    this.#missing.set(subscription, this.#window.maxDemand)
    subscription.ask(this.#window.maxDemand)
    return 'manual'
  }

  start(events: readonly In[], from: Subscription, stage: Consumer<In>): void {
    for (const event of events) this.#waiting.push({ event, from })
    this.#fill(stage)
  }

  /** Resolves when no task is under way, or the stage has ended meanwhile. */
  async idle(signal: AbortSignal): Promise<void> {
    if (this.#running === 0) return
    this.#idle ??= Promise.withResolvers()
    await untilAborted(this.#idle.promise, signal).catch(() => {}) // Rejected only by the signal.
  }

  /** Aborts what is under way if the stage did not complete, and awaits it, with a limit. */
  async close(reason: unknown): Promise<void> {
    if (this.#running === 0) return
    this.#stop.abort(reason)
    const enough = new AbortController()
    const tooLong = this.#clock.sleep(this.#spec.drainTimeoutMs, enough.signal).catch(() => {}) // Ended by `enough`.
    this.#idle ??= Promise.withResolvers()
    await Promise.race([this.#idle.promise, tooLong])
    enough.abort()
  }

  #fill(stage: Consumer<In>): void {
    while (this.#running < this.#spec.concurrency) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#running += 1
      void this.#run(next.event, stage).then(() => this.#free(next.from, stage))
    }
  }

  #free(from: Subscription, stage: Consumer<In>): void {
    this.#running -= 1
    const missing = (this.#missing.get(from) ?? 0) - 1
    const more = this.#stop.signal.aborted ? 0 : askAt(missing, this.#window)
    this.#missing.set(from, missing + more)
    from.ask(more)
    if (stage.ending === undefined) this.#fill(stage)
    if (this.#running === 0) this.#idle?.resolve()
  }

  /** Runs one task to its end, attempts and all; never rejects. */
  async #run(event: In, stage: Consumer<In>): Promise<void> {
    const { task, attempts, backoff = DEFAULT_BACKOFF, timeoutMs } = this.#spec
    const { signal } = this.#stop
    const options = { what: 'A task', attempts, backoff, timeoutMs, clock: this.#clock, signal }
    try {
      await withAttempts((context) => task(event, context), options)
    } catch (error) {
      if (!signal.aborted) this.#failed(event, error, stage)
    }
  }

  #failed(event: In, error: unknown, stage: Consumer<In>): void {
    try {
      if (this.#spec.onFailure === undefined) stage.fail(error)
      else this.#spec.onFailure(event, error)
    } catch (thrown) {
      stage.fail(thrown)
    }
  }
}
