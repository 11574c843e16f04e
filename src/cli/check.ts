// sluice check: checks a pipeline and both its ends, and shows its first rows, without loading any.

import { placeOf } from '../connect/origin.ts'
import { type Shard, shardText, splitsOf } from '../connect/shard.ts'
import type { SinkInspector } from '../connect/sink.ts'
import type { Split } from '../connect/source.ts'
import { escapeText, excerpt } from '../observe/escape.ts'
import { jsonLine } from '../observe/json.ts'
import { redact } from '../observe/redact.ts'
import { bytesText, countText, many } from '../observe/text.ts'
import { buildPipeline, planOf } from '../pipeline/build.ts'
import { promisedBy, promiseText, refuseRepeats } from '../pipeline/guarantee.ts'
import type { Pipeline, PipelineParts } from '../pipeline/pipeline.ts'
import { previewPipeline } from '../pipeline/preview.ts'
import { refuseUnshared } from '../pipeline/shards.ts'
import type { CheckOptions } from './admin-options.ts'
import { OK } from './exit.ts'
import type { Io } from './io.ts'
import { loadOnlyPipeline } from './load.ts'

/** Parts of a shard that are named. */
const SHOWN = 20
/** How long to wait for a source that has no record at hand. */
const WAIT_MS = 5000

/** Runs `sluice check` with its arguments; returns the exit code. Errors are those that a run would print. */
export async function check(
  { file, params, rows: records, shard, json, isOnEngine }: CheckOptions & { readonly file: string },
  io: Io,
): Promise<number> {
  const say = (line: string): void => {
    if (!json) io.stdout.write(`${escapeText(redact(line))}\n`)
  }
  const pipeline = await loadOnlyPipeline(file)
  const parts = buildPipeline(pipeline, params)
  planOf(parts, pipeline.name)
  refuseRepeats(parts, pipeline.name)
  if (isOnEngine) await refuseOnEngine(pipeline, params)
  say(`pipeline ${pipeline.name}`)
  if (shard !== undefined) refuseUnshared(parts, pipeline.name, shard)
  const tell = (fact: object): void => void (json && io.stdout.write(jsonLine(fact)))
  await lookAtEnds(parts, pipeline.name, shard, { say, tell })
  const [rows, letters, notes]: [string[], string[], string[]] = [[], [], []]
  const read = await previewPipeline(pipeline, {
    params,
    shard,
    records,
    waitMs: WAIT_MS,
    onRow: (row) => rows.push(json ? jsonLine({ row }) : `  row   ${excerpt(jsonLine(row).trimEnd(), 300)}`),
    onNote: (note) => notes.push(json ? jsonLine({ note }) : `  note  ${excerpt(note, 300)}`),
    onLetter: ({ origin, step, reason }) => {
      const place = placeOf(origin)
      letters.push(
        json ? jsonLine({ dead: { place, step, reason } }) : `  dead  ${place}  ${step}: ${excerpt(reason, 200)}`,
      )
    },
  })
  for (const line of [...rows, ...letters, ...notes]) {
    if (json) io.stdout.write(line)
    else say(line)
  }
  const counts = `${many(rows.length, 'row')} and ${many(letters.length, 'dead letter')} of ${many(read, 'record')}`
  say(`Preview: ${counts}. Nothing was loaded.`)
  return OK
}

/** @throws {SluiceError} NOT_PORTABLE for what an engine cannot run */
async function refuseOnEngine(pipeline: Pipeline, params: ReadonlyMap<string, string>): Promise<void> {
  const [{ layOutPipeline }, { refuseUnportable }, { SHARDS }] = await Promise.all([
    import('../beam/plan/laid-out.ts'),
    import('../beam/plan/refusals.ts'),
    import('../beam/submit/engine.ts'),
  ])
  refuseUnportable(layOutPipeline(pipeline, params, SHARDS))
}

/** Prints what is read, and the state of the sinks. */
async function lookAtEnds(
  parts: PipelineParts,
  name: string,
  shard: Shard | undefined,
  { say, tell }: { readonly say: (line: string) => void; readonly tell: (fact: object) => void },
): Promise<void> {
  const { source, sink } = parts
  const splits = await source.splits()
  say(`from ${source.title}: ${partsText(splits)}`)
  if (shard !== undefined) {
    const own = splitsOf(shard, splits, source.shared)
    tell({ shard: shardText(shard), parts: own.map(({ id }) => id) })
    say(`shard ${shardText(shard)} reads ${partsText(own)}`)
    for (const { id } of own.slice(0, SHOWN)) say(`  part  ${excerpt(id, 300)}`)
    if (own.length > SHOWN) say(`  and ${countText(own.length - SHOWN)} more`)
  }
  const inspector = await sink.inspect?.(name)
  const { stands, holder } = await standing(inspector, shard)
  say(`into ${sink.title}: ${stands}`)
  say(`guarantee: ${promiseText(promisedBy(parts))}`)
  for (const [branch, into] of sink.branches ?? [])
    say(`branch ${branch} into ${into.title}: ${promiseText(promisedBy(parts, into))}`)
  if (holder !== undefined) say(`held by ${holder}`)
}

function partsText(splits: readonly Split[]): string {
  const sizes = splits.map(({ sizeBytes }) => sizeBytes)
  const bytes = sizes.every((size) => size !== undefined)
    ? `, ${bytesText(sizes.reduce((sum, size) => sum + size, 0))}`
    : ''
  return `${many(splits.length, 'part')}${bytes}`
}

const NOTHING = 'nothing has been committed yet'

async function standing(
  inspector: SinkInspector | undefined,
  shard: Shard | undefined,
): Promise<{ stands: string; holder?: string | undefined }> {
  if (inspector === undefined) return { stands: 'cannot be inspected' }
  try {
    const found = await inspector.checkpoint()
    const own = shard === undefined ? undefined : found?.shards?.find((one) => one.shard === shardText(shard))
    const { epoch = 0, holder } = own ?? found ?? {}
    return { stands: epoch === 0 ? NOTHING : `continuing after epoch ${epoch}`, holder }
  } finally {
    await inspector.close()
  }
}
