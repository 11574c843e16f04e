// A topology in words, and as a Mermaid flowchart.

import { useText } from '../flow/operator-fields.ts'
import { type Edge, fingerprintOf, type Layer, stepsOf, type Topology, worksOf } from '../flow/topology.ts'
import { escapeText } from '../observe/escape.ts'
import { redact } from '../observe/redact.ts'

/** How many threads there are beside the one that starts them, and why. */
export interface Choice {
  /** 0: everything runs in this thread. */
  readonly threads: number
  readonly why: string
}

/** A sink of a topology, and what is promised of it. */
export interface Taking {
  readonly title: string
  readonly promise: string
}

export interface Picture {
  readonly topology: Topology
  readonly choice: Choice
  /** What a layer does, in words. */
  readonly works?: (layer: Layer) => readonly string[]
  /** Of a pipeline: its sink, and the sink's branches by name. */
  readonly load?: Taking & { readonly branches: readonly (Taking & { readonly name: string })[] }
  /** Why it would not run. */
  readonly refusal?: string | undefined
}

/** A line for each layer, with its inputs; then where it runs, and why there. */
export function wordsOf({ topology, choice, works = worksOf, load, refusal }: Picture): string {
  const { threads, why } = choice
  const { layers, last } = topology
  const lines = layers.flatMap((layer) => [
    `layer ${layer.number}, ${many(layer.stages, 'stage')}: ${works(layer).join(', ')}`,
    ...layer.inputs.map(({ from, exchange }) => `  takes from layer ${from.number}: ${meetingOf(exchange)}`),
    ...fieldLines(layer),
  ])
  if (load !== undefined) {
    const number = 1 + Math.max(...layers.map((layer) => layer.number))
    lines.push(
      `layer ${number}, 1 stage: into ${load.title}: ${load.promise}`,
      ...last.map((layer) => `  takes from layer ${layer.number}: everything`),
      ...load.branches.map(({ name, title, promise }) => `  branch ${name} into ${title}: ${promise}`),
    )
  }
  const where = threads === 0 ? 'runs in one thread' : `runs on ${many(threads, 'worker thread')}`
  const told = [...lines, refusal ?? `${where}: ${why}`, `fingerprint ${fingerprintOf(topology)}`]
  return told.map((line) => `${escapeText(redact(line))}\n`).join('')
}

/**
 * The same as a flowchart. Ids name the place (`layer1`, `sink`), so that two versions of a diagram can be compared;
 * for a pipeline it shows where dead letters come from.
 *
 * @see https://mermaid.js.org/syntax/flowchart.html
 */
export function mermaidOf({ topology: { layers, last }, works = worksOf, load }: Picture): string {
  const consumers = load === undefined ? [] : [['sink', '', load] as const]
  const branches = (load?.branches ?? []).map((branch, at) => {
    return [`branch${at + 1}`, `${mermaidLabel(branch.name)}: `, branch] as const
  })
  const rejecting = layers.filter(({ work }) => work.kind !== 'steps' || work.steps.length > 0).map(idOf)
  return [
    'flowchart LR',
    ...layers.map((layer) => `  ${idOf(layer)}${shapeOf(layer, works(layer))}`),
    ...(load === undefined ? ['  out(("out"))'] : []),
    ...[...consumers, ...branches].map(([id, name, { title, promise }]) => {
      return `  ${id}[("${name}${labelOf([title, promise])}")]`
    }),
    ...(load === undefined ? [] : ['  dead[/"dead letters"/]']),
    ...layers.flatMap((layer) =>
      layer.inputs.map(({ from, exchange }) => `  ${idOf(from)} -->${wayOf(exchange)} ${idOf(layer)}`),
    ),
    ...last.map((layer) => `  ${idOf(layer)} --> ${load === undefined ? 'out' : 'sink'}`),
    ...branches.map(([id]) => `  sink --> ${id}`),
    ...(load === undefined ? [] : [...rejecting, 'sink', ...branches.map(([id]) => id)]).map(
      (id) => `  ${id} -.-> dead`,
    ),
    '',
  ].join('\n')
}

/** How the steps of a layer use fields, if one of them names any. */
function fieldLines(layer: Layer): readonly string[] {
  const steps = stepsOf(layer)
  if (!steps.some(({ fields }) => typeof fields === 'object')) return []
  return steps.flatMap(({ does, fields }) => {
    if (fields === undefined) return []
    return [`  ${does}: ${fields === 'all' ? 'a function sees whole events' : useText(fields)}`]
  })
}

function meetingOf(exchange: Edge['exchange']): string {
  switch (exchange.kind) {
    case 'forward':
      return 'each stage from its own'
    case 'free':
      return 'whichever stage is free'
    case 'key':
      return exchange.of === undefined ? 'equal keys meet' : `equal keys meet, by ${exchange.of}`
    case 'hash':
      return 'each event chooses its stage'
  }
}

function wayOf(exchange: Edge['exchange']): string {
  if (exchange.kind === 'forward') return ''
  if (exchange.kind === 'free') return '|free|'
  return `|by ${exchange.kind === 'key' ? (exchange.of ?? 'key') : 'hash'}|`
}

function shapeOf(layer: Layer, works: readonly string[]): string {
  const label = labelOf([...works, layer.stages > 1 ? `${layer.stages} stages` : ''])
  return layer.work.kind === 'source' ? `[("${label}")]` : `["${label}"]`
}

function labelOf(parts: readonly string[]): string {
  return parts
    .filter((part) => part !== '')
    .map(mermaidLabel)
    .join('<br>')
}

function idOf({ number }: Layer): string {
  return `layer${number}`
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** Longest label, in characters: a diagram is meant to be looked at. */
const LONGEST = 120

// Anything Mermaid, or the Markdown in its labels, could interpret: all but letters, digits and a few signs, `_` next
// to anything but letters (emphasis), and what starts a list, a heading or a link.
const ESCAPED =
  /[^\p{L}\p{M}\p{N} .,/_()+-]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|^[+-]|(?<=^\d+)[.)]|(?<=\bwww)\.|(?<=^) | (?= )/giu

/**
 * A label that shows `text`: characters that could be interpreted become character references, secrets are removed.
 *
 * @example
 * mermaidLabel('a "b"') // => 'a #34;b#34;'
 */
export function mermaidLabel(text: string): string {
  const safe = redact(text)
  const short = safe.length > LONGEST ? `${safe.slice(0, LONGEST)}…` : safe
  return escapeText(short).replace(ESCAPED, (char) => `#${char.codePointAt(0)};`)
}
