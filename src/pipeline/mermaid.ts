// A pipeline as a Mermaid diagram, drawn from the pipeline itself.

import type { PlanNode } from '../flow/plan.ts'
import type { PipelineParts } from './pipeline.ts'

/**
 * A flowchart of source, steps and sink, and of where dead letters come from.
 *
 * @see https://mermaid.js.org/syntax/flowchart.html
 */
export function mermaid({ source, plan, sink }: PipelineParts): string {
  const lines = ['flowchart LR', `  source[("${label(source.title)}")]`]
  let before = 'source'
  const rejecting = ['source']
  for (const [index, node] of plan.entries()) {
    const id = `step${index + 1}`
    lines.push(`  ${id}["${label(describe(node))}"]`, `  ${before} --> ${id}`)
    rejecting.push(id)
    before = id
  }
  lines.push(`  sink[("${label(sink.title)}<br>${label(sink.guarantee)}")]`, `  ${before} --> sink`)
  lines.push('  dead[/"dead letters"/]', ...[...rejecting, 'sink'].map((id) => `  ${id} -.-> dead`))
  return `${lines.join('\n')}\n`
}

function describe({ kind, name }: PlanNode): string {
  return name.startsWith(kind) ? name : `${kind} ${name}`
}

/** Text that Mermaid takes as text: everything but plain words as a character reference. */
function label(text: string): string {
  return text.replace(/[^\p{L}\p{N} .,:/_()-]/gu, (char) => `#${char.codePointAt(0)};`)
}
