// A pipeline as a Mermaid diagram, drawn from the pipeline itself.

import type { Stateless } from '../flow/plan.ts'
import { escapeText } from '../observe/escape.ts'
import { redact } from '../observe/redact.ts'
import type { PipelineParts } from './pipeline.ts'

/** Longest label, in characters: a diagram is for the eye. */
const LONGEST = 120

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

// What Mermaid or the Markdown in its labels could take for something else: all but letters, digits and a few signs,
// `_` beside anything but letters (emphasis), and what makes a list, a heading or a link of a text.
const ESCAPED =
  /[^\p{L}\p{M}\p{N} .,/_()+-]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|^[+-]|(?<=^\d+)[.)]|(?<=\bwww)\.|(?<=^) | (?= )/giu

/** Any text as a label that shows it: what could mean something becomes the reference of its character. */
function label(text: string): string {
  const safe = redact(text)
  const short = safe.length > LONGEST ? `${safe.slice(0, LONGEST)}…` : safe
  return escapeText(short).replace(ESCAPED, (char) => `#${char.codePointAt(0)};`)
}
