// A pipeline as a Mermaid diagram, drawn from the pipeline itself.

import type { Stateless } from '../flow/plan.ts'
import { mermaidLabel as label } from '../observe/mermaid-label.ts'
import type { PipelineParts } from './pipeline.ts'

/**
 * A flowchart of source, steps and sink, and of where dead letters come from: every part can reject an event.
 *
 * Ids tell the place in the flow (`source`, `step1`, `sink`), so that two versions of a diagram can be compared.
 *
 * @see https://mermaid.js.org/syntax/flowchart.html
 */
export function mermaid({ source, plan, sink }: PipelineParts): string {
  const steps = plan.map((node, index) => ({ id: `step${index + 1}`, shape: `["${label(describe(node))}"]` }))
  const parts = [
    { id: 'source', shape: `[("${label(source.title)}")]` },
    ...steps,
    { id: 'sink', shape: `[("${label(sink.title)}<br>${label(sink.guarantee)}")]` },
  ]
  return [
    'flowchart LR',
    ...parts.map(({ id, shape }) => `  ${id}${shape}`),
    '  dead[/"dead letters"/]',
    `  ${parts.map(({ id }) => id).join(' --> ')}`,
    ...parts.map(({ id }) => `  ${id} -.-> dead`),
    '',
  ].join('\n')
}

function describe({ kind, name }: Stateless): string {
  return name.startsWith(kind) ? name : `${kind} ${name}`
}
