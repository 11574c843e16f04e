// What pipelines have stored, for the page: dead letters by the page, and checkpoints.

import { messageOf } from '../base/errors.ts'
import type { ShardSummary, SinkInspector, StoredDeadLetter } from '../connect/sink.ts'
import { AnswerError } from './answer.ts'
import type { WatchedRun } from './watched.ts'

/** Dead letters per answer, and how much of each. */
const AT_ONCE = 50
const LONGEST = 4000
/** The most positions of one checkpoint, and the most branches to inspect. */
const MOST_POSITIONS = 50
const MOST_BRANCHES = 20
const MOST_SHARDS = 200
/** Queries that may wait for the one under way; more are rejected. */
const MOST_WAITING = 8
/** How long a query is awaited, in clock milliseconds; a slower one still delays those after it. */
const LOOK_MS = 20_000

/** Queries sinks one after the other: however many clients ask, a run is disturbed by one at most. */
export class StoredState {
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /**
   * @param after - the `next` of the previous answer
   */
  async letters(
    run: WatchedRun,
    { after, branch }: { readonly after: string | undefined; readonly branch: string | undefined },
  ): Promise<object> {
    const from = after === undefined ? undefined : deadLetterAt(after)
    const found = await this.#look(run, branch, async (inspector) => {
      return await inspector.deadLetters({ limit: AT_ONCE, ...(from === undefined ? {} : { after: from }) })
    })
    const last = found.length < AT_ONCE ? undefined : found.at(-1)
    return {
      pipeline: run.pipeline,
      branches: run.branches?.() ?? [],
      letters: found.map(shown),
      ...(last === undefined ? {} : { next: placeOf(last) }),
    }
  }

  async checkpoint(run: WatchedRun): Promise<object> {
    const { pipeline } = run
    try {
      const found = await this.#look(run, undefined, async (inspector) => await inspector.checkpoint())
      const branches = await this.#branches(run)
      if (found === undefined) return { pipeline, epoch: 0, ...branches }
      const { epoch, totals, committed, holder, positions, states, shards } = found
      const stateBytes = [...states.values()].reduce((sum, size) => sum + size, 0)
      const first = [...positions].slice(0, MOST_POSITIONS)
      return {
        pipeline,
        epoch,
        totals,
        committed,
        ...(holder === undefined ? {} : { holder }),
        ...(shards === undefined ? {} : shardsOf(shards)),
        positions: first.map(([split, position]) => ({ split, position: cut(JSON.stringify(position)) })),
        allPositions: positions.size,
        stateBytes,
        ...branches,
      }
    } catch (error) {
      // A branch that cannot be inspected hides no other.
      return { pipeline, error: messageOf(error) }
    }
  }

  /** The checkpoints of the branches. */
  async #branches(run: WatchedRun): Promise<{ readonly branches?: readonly object[]; readonly allBranches?: number }> {
    const names = run.branches?.() ?? []
    if (names.length === 0) return {}
    const branches: object[] = []
    for (const branch of names.slice(0, MOST_BRANCHES)) {
      try {
        const found = await this.#look(run, branch, async (inspector) => await inspector.checkpoint())
        const { epoch = 0, totals, committed } = found ?? {}
        branches.push({ branch, epoch, ...(found === undefined ? {} : { totals, committed }) })
      } catch (error) {
        branches.push({ branch, error: messageOf(error) })
      }
    }
    return { branches, allBranches: names.length }
  }

  async #look<T>(
    run: WatchedRun,
    branch: string | undefined,
    at: (inspector: SinkInspector) => Promise<T>,
  ): Promise<T> {
    if (this.#waiting >= MOST_WAITING) throw new AnswerError(503, 'Too many queries at once: try again')
    this.#waiting += 1
    const looked = this.#last.then(async () => {
      const inspector = await run.inspect(branch)
      try {
        return await at(inspector)
      } finally {
        await inspector.close()
      }
    })
    this.#last = looked.catch(() => {}).finally(() => (this.#waiting -= 1)) // Reported to whoever asked.
    const late = Promise.withResolvers<never>()
    const tooLong = new AnswerError(503, `The sink did not answer within ${LOOK_MS / 1000} s`)
    // A run that ends meanwhile does not wait for it.
    const timer = setTimeout(() => late.reject(tooLong), LOOK_MS).unref()
    try {
      return await Promise.race([looked, late.promise])
    } finally {
      clearTimeout(timer)
    }
  }
}

function shardsOf(shards: readonly ShardSummary[]): object {
  const missingShards = shards.filter(({ isMissing }) => isMissing).length
  return { shards: shards.slice(0, MOST_SHARDS), allShards: shards.length, missingShards }
}

function shown({ origin, step, reason, part, epoch, timeMs }: StoredDeadLetter): object {
  const { source, line, offset, raw } = origin
  return { source, line, offset, step, part, reason: cut(reason), epoch, timeMs, raw: cut(raw) }
}

function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST).toWellFormed()}…`
}

/** Identifies a dead letter, as text for a URL. */
function placeOf({ origin, step, part }: StoredDeadLetter): string {
  return Buffer.from(JSON.stringify([origin.source, origin.offset, step, part])).toString('base64url')
}

/** As much of a dead letter as identifies it. @throws {AnswerError} if `text` is not from `placeOf` */
function deadLetterAt(text: string): StoredDeadLetter {
  let place: unknown
  try {
    place = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    // Reported below, as everything invalid.
  }
  const [source, offset, step, part] = Array.isArray(place) ? place : []
  const isPlace =
    typeof source === 'string' && Number.isSafeInteger(offset) && typeof step === 'string' && Number.isSafeInteger(part)
  if (!isPlace) throw new AnswerError(400, 'after must be the next of an earlier answer')
  return { kind: 'dead', origin: { source, line: 0, offset, raw: '' }, step, reason: '', part, epoch: 0, timeMs: 0 }
}
