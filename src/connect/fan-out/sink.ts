// Several sinks for one pipeline: the first holds the checkpoint, the others follow it through files of rows.

import { checkInteger, checkKeys } from '../../base/check.ts'
import { SluiceError } from '../../base/errors.ts'
import { definedOf } from '../../base/options.ts'
import { isPath, optionInvalid } from '../kits/config.ts'
import type { Guarantee, Sink } from '../sink.ts'
import { isJoined } from './branches/is-joined.ts'
import type { Branch } from './branches/route.ts'

export type { Branch } from './branches/route.ts'

export interface FanOutOptions<Row> {
  /**
   * The folder for rows that a branch has not yet taken; created if it is missing. Not needed if all branches are in
   * the database of the first sink.
   */
  readonly spool?: string
  /** Which rows the first sink takes: all by default. */
  readonly where?: (row: Row) => boolean
  /** Name → further sinks. A name consists of letters, digits, `_` and `-`, 32 at most. */
  readonly branches: Readonly<Record<string, Branch<Row>>>
}

const BRANCH_NAME = /^[a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?$/i

const invalid = optionInvalid.bind(null, 'fanOut')

const WORST: readonly Guarantee[] = ['at-least-once', 'once-per-key', 'exactly-once']

/**
 * Writes rows into several sinks: every row into all of them, or each where it belongs.
 *
 * - **Commits** where the first sink does. By then, the rows of an epoch for a branch are in a synced file, which the
 *   commit names; the branch takes it from there in its own transaction, as the pipeline `<pipeline>.<branch>`.
 *   Whatever ends a process in between, each sink gets each of its rows as often as it would alone: exactly once if it
 *   has transactions.
 * - **Joins** a branch whose sink uses the first sink's file, or its connection and schema in PostgreSQL: its rows are
 *   written in the same transaction, without files, and `mayLagBytes` does not apply.
 * - **Waits** for any other branch only once `mayLagBytes` are in its files: until then, a slow branch, or one that is
 *   lost for a while, holds back neither the first sink nor the others. A run ends when every branch has taken
 *   everything.
 * - **Routes** by `where`: a row that no sink takes is a dead letter of the step `route`, as is one at which `where` or
 *   `map` throws. What the first sink rejects goes into no branch.
 * - **Rejected** by a branch, a row is a dead letter of `<pipeline>.<branch>`, stored where the branch stores its own.
 *
 * @param first - holds the checkpoint and the lease
 * @throws {SluiceError} CONFIG_INVALID for an invalid folder, name or option
 * @example
 * const sink = fanOut(sqliteSink<{ status: number }>('out.db', { table: 'requests' }), {
 *   spool: 'spool',
 *   branches: { errors: { into: sqliteSink('errors.db', { table: 'errors' }), where: ({ status }) => status >= 500 } },
 * })
 * sink.title // => 'table requests in out.db, with branch errors'
 * sink.guarantee // => 'exactly-once'
 */
export function fanOut<Row>(first: Sink<Row>, options: FanOutOptions<Row>): Sink<Row> {
  checkKeys('fanOut', options, ['spool', 'where', 'branches'])
  const { spool, where, branches: given } = options
  const branches = new Map(Object.entries(given))
  if (branches.size === 0) throw invalid('branches', given, 'one branch or more')
  for (const [name, branch] of branches) checkBranch(name, branch)
  const sinks = [first, ...[...branches.values()].map(({ into }) => into)]
  const others = [...branches.values()].map(({ into }) => into).filter((into) => !isJoined(first, into))
  if (!isPath(spool) && (spool !== undefined || others.length > 0)) throw invalid('spool', spool, 'a folder')
  checkLocks([first, ...others])
  const { inspect, epochs, isKeyed, key } = first
  return {
    kind: 'fan-out',
    ...definedOf({ epochs, isKeyed, key }),
    title: `${first.title}, with ${branches.size === 1 ? 'branch' : 'branches'} ${[...branches.keys()].join(', ')}`,
    deadLetters: first.deadLetters,
    guarantee: WORST.find((guarantee) => sinks.some((sink) => sink.guarantee === guarantee)) ?? 'at-least-once',
    branches: new Map([...branches].map(([name, { into }]) => [name, into])),
    withSinks: (of) => {
      const others = [...branches].map(([name, branch]) => [name, { ...branch, into: of(branch.into) }])
      return fanOut(of(first) as Sink<Row>, { ...definedOf({ where }), branches: Object.fromEntries(others) })
    },
    ...(inspect === undefined
      ? {}
      : {
          async inspect(pipeline) {
            const { fanOutInspector } = await import('./branches/inspect.ts')
            return fanOutInspector(pipeline, await inspect(pipeline), branches)
          },
        }),
    async dryRun(opening) {
      const { openFanOutDry } = await import('./dry-run.ts')
      return await openFanOutDry(first, { spool, where, branches }, opening)
    },
    async open(opening) {
      // Loaded on demand: programs and threads without such a sink start sooner.
      const { FanOutWriter } = await import('./writer.ts')
      return await FanOutWriter.open(first, { spool, where, branches }, opening)
    },
  }
}

function checkBranch(name: string, branch: Branch<never>): void {
  if (!BRANCH_NAME.test(name)) throw invalid('branches', name, 'names of letters, digits, _ and -, 32 at most')
  checkKeys(`Branch ${name} of fanOut`, branch, ['into', 'where', 'map', 'mayLagBytes'])
  if (typeof branch.into?.open !== 'function') throw invalid(`branches.${name}.into`, branch.into, 'a sink')
  if (branch.mayLagBytes !== undefined) checkInteger('mayLagBytes', branch.mayLagBytes, 0)
}

/** Two sinks that wait for each other's lock would deadlock. */
function checkLocks(sinks: readonly Sink<never>[]): void {
  const locks = sinks.flatMap((sink) => sink.locks ?? [])
  const shared = locks.find((lock, i) => locks.indexOf(lock) < i)
  if (shared === undefined) return
  const message = `Cannot fan out: two sinks would lock ${shared}; give each a file of its own`
  throw new SluiceError('CONFIG_INVALID', message, { key: 'branches', value: shared, allowed: 'a file for each' })
}
