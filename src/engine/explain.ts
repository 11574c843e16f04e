// How a flow would run: in words, and as a picture. Drawn from the topology itself.

import { isFlow } from '../flow/is-flow.ts'
import { layOut } from '../flow/layout.ts'
import { type Edge, fingerprintOf, type Layer, type Topology, worksOf } from '../flow/topology.ts'
import { escapeText } from '../observe/escape.ts'
import { mermaidLabel } from '../observe/mermaid-label.ts'
import { redact } from '../observe/redact.ts'
import { loadJob } from './job.ts'
import { settingsOf } from './options.ts'
import { type Choice, choose, jobOf, type Runnable } from './start.ts'

export interface ExplainOptions {
  /** `words` (default), or a `mermaid` flowchart. */
  readonly as?: 'mermaid' | 'words'
  /** As for a run. */
  readonly threads?: number
  readonly stages?: number
  readonly name?: string
}

/**
 * Says how a flow would run, without running it: its layers, how many stages each has, what they do, where events
 * change stages, and on how many threads, with the reason.
 *
 * @throws {SluiceError} FLOW_MISMATCH if the module exports no such flow; what its sources throw when they are listed
 * @example
 * const words = flow(['a b']).flatMap((line) => line.split(' ')).keyBy((word) => word).aggregate({ n: count() })
 * (await explain(words, { stages: 2 })).split('\n').slice(0, 4)
 * // => ['layer 1, 1 stage: array', 'layer 2, 2 stages: flatMap, aggregate (partial results)', '  takes from layer 1: whichever stage is free', 'layer 3, 2 stages: aggregate (merging)']
 * @see https://mermaid.js.org/syntax/flowchart.html
 */
export async function explain<T>(flow: Runnable<T>, options: ExplainOptions = {}): Promise<string> {
  const { as = 'words', ...others } = options
  const settings = settingsOf('explain', others)
  const choice = await decide(flow, settings)
  const node = isFlow(flow) ? flow.node : await loadJob(jobOf('explain', flow, settings))
  const topology = layOut(node, { stages: settings.stages ?? Math.max(1, choice.threads) })
  return as === 'mermaid' ? mermaidOf(topology) : wordsOf(topology, choice)
}

async function decide<T>(flow: Runnable<T>, settings: ReturnType<typeof settingsOf>): Promise<Choice> {
  const { threads } = settings
  if (isFlow(flow))
    return { threads: 0, why: 'the flow was handed over, not its module, and no function crosses a thread' }
  if (threads !== undefined) return { threads, why: 'as was asked for' }
  return await choose(await loadJob(jobOf('explain', flow, settings)))
}

function wordsOf(topology: Topology, { threads, why }: Choice): string {
  const lines = topology.layers.flatMap((layer) => [
    `layer ${layer.number}, ${many(layer.stages, 'stage')}: ${worksOf(layer).join(', ')}`,
    ...layer.inputs.map((edge) => `  takes from layer ${edge.from.number}: ${EXCHANGES[edge.exchange.kind]}`),
  ])
  const where = threads === 0 ? `runs in one thread: ${why}` : `runs on ${many(threads, 'worker thread')}: ${why}`
  const told = [...lines, where, `fingerprint ${fingerprintOf(topology)}`]
  return told.map((line) => `${escapeText(redact(line))}\n`).join('')
}

const EXCHANGES: Readonly<Record<Edge['exchange']['kind'], string>> = {
  forward: 'each stage from its own',
  free: 'whichever stage is free',
  key: 'equal keys meet',
  hash: 'each event says to which stage it goes',
}

const LABELS: Readonly<Record<Edge['exchange']['kind'], string>> = {
  forward: '',
  free: '|free|',
  key: '|by key|',
  hash: '|by hash|',
}

function mermaidOf({ layers, last }: Topology): string {
  const nodes = layers.map((layer) => `  ${idOf(layer)}${shapeOf(layer)}`)
  const edges = layers.flatMap((layer) =>
    layer.inputs.map(({ from, exchange }) => `  ${idOf(from)} -->${LABELS[exchange.kind]} ${idOf(layer)}`),
  )
  const out = last.map((layer) => `  ${idOf(layer)} --> out`)
  return ['flowchart LR', ...nodes, '  out(("out"))', ...edges, ...out, ''].join('\n')
}

function shapeOf(layer: Layer): string {
  const text = [...worksOf(layer), layer.stages > 1 ? `${layer.stages} stages` : '']
  const label = text
    .filter((part) => part !== '')
    .map(mermaidLabel)
    .join('<br>')
  return layer.work.kind === 'source' ? `[("${label}")]` : `["${label}"]`
}

function idOf({ number }: Layer): string {
  return `layer${number}`
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
