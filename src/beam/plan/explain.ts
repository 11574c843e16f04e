// How a pipeline would run on an engine, in words; nothing is opened, and no engine is asked.

import { type Edge, worksOf } from '../../flow/topology.ts'
import { escapeText } from '../../observe/escape.ts'
import { redact } from '../../observe/redact.ts'
import { countText, many } from '../../observe/text.ts'
import type { EngineStage } from './engine-stages.ts'
import { type LaidOut, sourceOfLayer } from './laid-out.ts'
import { refusalsOf } from './refusals.ts'

export function explainOnEngine(job: LaidOut): string {
  const refusals = refusalsOf(job)
  const end =
    refusals.length === 0
      ? `rows and dead letters are written by their keys, by each worker, into ${job.parts.sink.title}`
      : `cannot run on an engine: ${refusals.join('; and ')}`
  const lines = [...job.stages.flatMap((stage) => linesOf(stage, job)), end, `fingerprint ${job.fingerprint}`]
  return lines.map((line) => `${escapeText(redact(line))}\n`).join('')
}

function linesOf(stage: EngineStage, { stages }: LaidOut): string[] {
  const { number, layers, inputs, sources, shards, isLast } = stage
  const what = sources.length === 0 ? many(shards, 'shard') : 'a group for each part of its sources'
  const works = layers.flatMap((layer) => {
    return layer.work.kind === 'source' ? [sourceOfLayer(layer).title, ...worksOf(layer).slice(1)] : worksOf(layer)
  })
  const takes = inputs.map(({ edge, to }) => {
    const from = stages.find((one) => one.layers.includes(edge.from))?.number
    return `  takes from stage ${from}: ${meetingOf(edge, to.stages)}`
  })
  return [`stage ${number}, ${what}: ${works.join(', ')}`, ...takes, ...(isLast ? ['  gives the rows'] : [])]
}

/** What crosses the engine: a batch for each shard and bundle. */
function meetingOf({ exchange }: Edge, shards: number): string {
  if (shards === 1) return 'everything meets in one group'
  const batches = `batches for ${countText(shards)} shards`
  if (exchange.kind === 'key')
    return `${batches}, equal keys meet${exchange.of === undefined ? '' : `, by ${exchange.of}`}`
  return exchange.kind === 'hash' ? `${batches}, each event chooses its own` : `${batches}, any of them`
}
