// sluice check: checks a pipeline and both its ends, and shows its first rows, without loading any.

import { placeOf } from '../connect/origin.ts'
import type { SinkInspector } from '../connect/sink.ts'
import { escapeText, excerpt } from '../observe/escape.ts'
import { jsonLine } from '../observe/json.ts'
import { redact } from '../observe/redact.ts'
import { bytesText, many } from '../observe/text.ts'
import { buildPipeline, planOf } from '../pipeline/build.ts'
import { promisedBy, promiseText, refuseRepeats } from '../pipeline/guarantee.ts'
import type { PipelineParts } from '../pipeline/pipeline.ts'
import { previewPipeline } from '../pipeline/preview.ts'
import type { CheckOptions } from './admin-options.ts'
import { OK } from './exit.ts'
import type { Io } from './io.ts'
import { loadOnlyPipeline } from './load.ts'

/** How long to wait for a source that has no record at hand. */
const WAIT_MS = 5000

/** Runs `sluice check` with its arguments; returns the exit code. Errors are those that a run would print. */
export async function check(
  { file, params, rows: records, json }: CheckOptions & { readonly file: string },
  io: Io,
): Promise<number> {
  const say = (line: string): void => {
    if (!json) io.stdout.write(`${escapeText(redact(line))}\n`)
  }
  const pipeline = await loadOnlyPipeline(file)
  const parts = buildPipeline(pipeline, params)
  planOf(parts, pipeline.name)
  refuseRepeats(parts, pipeline.name)
  say(`pipeline ${pipeline.name}`)
  await lookAtEnds(parts, pipeline.name, say)
  const [rows, letters, notes]: [string[], string[], string[]] = [[], [], []]
  const read = await previewPipeline(pipeline, {
    params,
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

/** Prints what is read, and the state of the sinks. */
async function lookAtEnds(parts: PipelineParts, name: string, say: (line: string) => void): Promise<void> {
  const { source, sink } = parts
  const splits = await source.splits()
  const sizes = splits.map(({ sizeBytes }) => sizeBytes)
  const bytes = sizes.every((size) => size !== undefined)
    ? `, ${bytesText(sizes.reduce((sum, size) => sum + size, 0))}`
    : ''
  say(`from ${source.title}: ${many(splits.length, 'part')}${bytes}`)
  const inspector = await sink.inspect?.(name)
  const { stands, holder } = await standing(inspector)
  say(`into ${sink.title}: ${stands}`)
  say(`guarantee: ${promiseText(promisedBy(parts))}`)
  for (const [branch, into] of sink.branches ?? [])
    say(`branch ${branch} into ${into.title}: ${promiseText(promisedBy(parts, into))}`)
  if (holder !== undefined) say(`held by ${holder}`)
}

const NOTHING = 'nothing has been committed yet'

async function standing(
  inspector: SinkInspector | undefined,
): Promise<{ stands: string; holder?: string | undefined }> {
  if (inspector === undefined) return { stands: 'cannot be inspected' }
  try {
    const found = await inspector.checkpoint()
    if (found === undefined) return { stands: NOTHING }
    return { stands: `continuing after epoch ${found.epoch}`, holder: found.holder }
  } finally {
    await inspector.close()
  }
}
