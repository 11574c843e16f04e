// sluice check: looks at a pipeline and both its ends, and shows its first rows, without loading any.

import { placeOf } from '../connect/origin.ts'
import { TryOut } from '../engine/try-out.ts'
import { layOut } from '../flow/layout.ts'
import { escapeText, excerpt } from '../observe/escape.ts'
import { jsonLine } from '../observe/json.ts'
import { redact } from '../observe/redact.ts'
import { bytesText, many } from '../observe/text.ts'
import { buildPipeline, planOf, sourceOf } from '../pipeline/build.ts'
import { promisedBy, promiseText, refuseRepeats } from '../pipeline/guarantee.ts'
import { OK } from './exit.ts'
import type { Io } from './io.ts'
import type { CheckOptions } from './keeping-options.ts'
import { loadOnlyPipeline } from './load.ts'

/** Runs `sluice check` with its arguments; gives the exit code. */
export async function check(
  { file, params, rows, json }: CheckOptions & { readonly file: string },
  io: Io,
): Promise<number> {
  const say = (line: string): void => {
    if (!json) io.stdout.write(`${escapeText(redact(line))}\n`)
  }
  const pipeline = await loadOnlyPipeline(file)
  const parts = buildPipeline(pipeline, params)
  const plan = planOf(parts, pipeline.name)
  refuseRepeats(parts, pipeline.name)
  say(`pipeline ${pipeline.name}: fine`)
  const { source, sink } = parts
  const splits = await source.splits()
  const sizes = splits.map(({ sizeBytes }) => sizeBytes)
  const bytes = sizes.every((size) => size !== undefined)
    ? `, ${bytesText(sizes.reduce((sum, size) => sum + size, 0))}`
    : ''
  say(`from ${source.title}: ${many(splits.length, 'part')}${bytes}`)
  const inspector = await sink.inspect?.(pipeline.name)
  const found = await inspector?.checkpoint()
  await inspector?.close()
  const stands =
    inspector === undefined
      ? 'cannot be looked into'
      : found === undefined
        ? 'nothing was committed yet'
        : `going on after epoch ${found.epoch}`
  say(`into ${sink.title}: ${stands}`)
  say(`guarantee: ${promiseText(promisedBy(parts))}`)
  for (const [name, into] of sink.branches ?? [])
    say(`branch ${name} into ${into.title}: ${promiseText(promisedBy(parts, into))}`)
  if (found?.holder !== undefined) say(`held by ${found.holder}`)
  const { layers } = layOut(plan.node, { stages: 1, input: sourceOf(parts, plan) })
  const steps = new TryOut(layers)
  let [shown, dead, left] = [0, 0, rows]
  for (const split of splits) {
    if (left === 0) break
    const reader = await source.open(split, undefined)
    try {
      while (left > 0) {
        // One at a time: rows and letters are shown in the order of their records.
        const read = await reader.read(1)
        if (read === undefined) break
        for (const entry of await steps.through(read)) {
          if (left === 0) break
          left -= 1
          if (entry.kind === 'dead') {
            dead += 1
            const { origin, step, reason } = entry
            if (json) io.stdout.write(jsonLine({ dead: { place: placeOf(origin), step, reason } }))
            else say(`  dead  ${placeOf(origin)}  ${step}: ${excerpt(reason, 200)}`)
          } else {
            shown += 1
            if (json) io.stdout.write(jsonLine({ row: entry.value }))
            else say(`  row   ${excerpt(jsonLine(entry.value).trimEnd(), 300)}`)
          }
        }
      }
    } finally {
      await reader.close()
    }
  }
  const behind = layers.length === 1 ? '' : ', as they are ahead of what the flow makes of several'
  say(`${many(shown, 'row')} and ${many(dead, 'dead letter')} of the first records${behind}; nothing was loaded`)
  return OK
}
