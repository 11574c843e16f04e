// A pipeline as a Mermaid diagram, drawn from the pipeline itself.

import type { Sink } from '../connect/sink.ts'
import { operatorText } from '../flow/name.ts'
import { nodesOf, type Operator, type PlanNode } from '../flow/plan.ts'
import { mermaidLabel as label } from '../observe/mermaid-label.ts'
import { promisedBy, promiseText } from './guarantee.ts'
import type { PipelineParts } from './pipeline.ts'

/**
 * A flowchart of source, steps and sink, and of where dead letters come from: every part can reject an event.
 *
 * Ids tell the place in the flow (`source`, `step1`, `sink`), so that two versions of a diagram can be compared.
 *
 * @see https://mermaid.js.org/syntax/flowchart.html
 */
export function mermaid(pipeline: PipelineParts): string {
  const { source, node: last, sink } = pipeline
  const nodes = nodesOf(last)
  const steps = nodes.filter(({ operator }) => operator.kind !== 'input')
  const idOf = (node: PlanNode): string =>
    node.operator.kind === 'input' ? 'source' : `step${steps.indexOf(node) + 1}`
  const shapeOfSink = (title: string, into: Sink<unknown>): string =>
    `[("${title}<br>${label(promiseText(promisedBy(pipeline, into)))}")]`
  const parts = [
    { id: 'source', shape: `[("${label(source.title)}")]` },
    ...steps.map((node) => ({ id: idOf(node), shape: shapeOf(node.operator) })),
    { id: 'sink', shape: shapeOfSink(label(sink.title), sink) },
  ]
  const branches = [...(sink.branches ?? [])].map(([name, into], i) => {
    return { id: `branch${i + 1}`, shape: shapeOfSink(`${label(name)}: ${label(into.title)}`, into) }
  })
  const edges = [
    ...steps.flatMap((node) => node.inputs.map((input) => [idOf(input), idOf(node)] as const)),
    [idOf(last), 'sink'] as const,
  ]
  return [
    'flowchart LR',
    ...[...parts, ...branches].map(({ id, shape }) => `  ${id}${shape}`),
    '  dead[/"dead letters"/]',
    ...chainsOf(edges).map((ids) => `  ${ids.join(' --> ')}`),
    ...branches.map(({ id }) => `  sink --> ${id}`),
    ...[...parts, ...branches].map(({ id }) => `  ${id} -.-> dead`),
    '',
  ].join('\n')
}

/** Edges that follow each other as one line. */
function chainsOf(edges: readonly (readonly [from: string, to: string])[]): string[][] {
  const chains: string[][] = []
  for (const [from, to] of edges) {
    const last = chains.at(-1)
    if (last?.at(-1) === from) last.push(to)
    else chains.push([from, to])
  }
  return chains
}

function shapeOf(operator: Operator): string {
  const text = label(operatorText(operator))
  return operator.kind === 'source' ? `[("${text}")]` : `["${text}"]`
}
