// A dry run of several sinks: each takes its rows, without lasting effects.

import { definedOf } from '../../base/options.ts'
import type { DeadLetter } from '../origin.ts'
import type { Sink, SinkOptions, SinkWriter } from '../sink.ts'
import { isJoined } from './branches/is-joined.ts'
import { branchPipeline } from './branches/record.ts'
import { route } from './branches/route.ts'
import { type FanOutWriterOptions, withoutRecord } from './writer.ts'

export async function openFanOutDry<Row>(
  first: Sink<Row>,
  { where, branches }: FanOutWriterOptions<Row>,
  opening: SinkOptions,
): Promise<SinkWriter<Row>> {
  const { columns, types, key: _, ...rest } = opening
  const writers: (SinkWriter<unknown> | undefined)[] = []
  const head = await first.dryRun?.(opening)
  const close = async (): Promise<void> => {
    await Promise.allSettled([head, ...writers].map((writer) => writer?.close()))
  }
  try {
    for (const [name, { into, map }] of branches) {
      const known = map === undefined ? definedOf({ columns, types }) : {}
      const pipeline = branchPipeline(opening.pipeline, name)
      const its = { ...rest, ...known, pipeline }
      const branch = into as Sink<unknown>
      const isBeside = head !== undefined && isJoined(first, into)
      writers.push(isBeside ? await branch.openBeside?.(head, its) : await branch.dryRun?.(its))
    }
  } catch (error) {
    await close()
    throw error
  }
  const routes = [...branches.values()]
  return {
    checkpoint: head?.checkpoint === undefined ? undefined : withoutRecord(head.checkpoint),
    async write(rows) {
      const routed = route(rows, where, routes)
      const letters: DeadLetter[] = [...routed.letters]
      if (head !== undefined && routed.first.length > 0) letters.push(...(await head.write(routed.first)))
      for (const [at, batch] of routed.branches.entries()) {
        if (batch.length > 0) letters.push(...((await writers[at]?.write(batch)) ?? []))
      }
      return letters
    },
    writeDeadLetters() {},
    async commit(checkpoint) {
      for (const writer of [head, ...writers]) await writer?.commit(checkpoint)
    },
    close,
  }
}
