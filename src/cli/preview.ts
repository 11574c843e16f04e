// sluice preview: the first records of a pipeline after every step, without loading any.

import { placeOf } from '../connect/origin.ts'
import { jsonLine } from '../observe/json.ts'
import { type PreviewedSteps, previewSteps } from '../pipeline/preview-steps.ts'
import { OK } from './exit.ts'
import type { Io } from './io.ts'
import { loadOnlyPipeline } from './load.ts'
import { commandInvalid } from './options.ts'
import type { PreviewOptions } from './preview-options.ts'
import { stepsView } from './show/steps-view.ts'

/** How long to wait for a source that has no record at hand. */
const WAIT_MS = 5000
/** As wide as a table is where nobody says how wide the terminal is. */
const COLUMNS = 120

/** Runs `sluice preview` with its arguments; returns the exit code. */
export async function preview(options: PreviewOptions & { readonly file: string }, io: Io): Promise<number> {
  const { json, step } = options
  const found = await previewFile(options)
  if (step !== undefined && found.steps.every(({ number }) => number !== step))
    throw commandInvalid(
      '--step',
      `--step must be the number of a step, from 1 to ${found.steps.length}: found ${step}`,
    )
  if (json) for (const line of jsonLines(found, step)) io.stdout.write(line)
  else for (const line of stepsView(found, { columns: columnsOf(io), step })) io.stdout.write(`${line}\n`)
  return OK
}

/** What the steps of a module's pipeline give. */
export async function previewFile({
  file,
  params,
  rows,
  records,
}: Pick<PreviewOptions, 'params' | 'rows' | 'records'> & { readonly file: string }): Promise<PreviewedSteps> {
  return await previewSteps(await loadOnlyPipeline(file), {
    ...{ params, records, waitMs: WAIT_MS, kept: rows },
    copy: (event) => JSON.parse(jsonLine(event)),
  })
}

export function columnsOf({ stdout }: Io): number {
  return stdout.columns ?? COLUMNS
}

/** An event is a line, and so are a dead letter and the end. */
function jsonLines({ steps, firstDeadLetters, notes, read, dead, sink }: PreviewedSteps, only?: number): string[] {
  const shown = steps.filter(({ number }) => only === undefined || number === only)
  return [
    ...shown.flatMap(({ number, title, first }) => first.map((event) => jsonLine({ step: number, title, event }))),
    ...firstDeadLetters.map(({ origin, step, reason }) => jsonLine({ dead: { place: placeOf(origin), step, reason } })),
    ...notes.map((note) => jsonLine({ note })),
    jsonLine({ read, dead, sink, steps: steps.map(({ number, title, events }) => ({ step: number, title, events })) }),
  ]
}
