// What every step of a pipeline gave, as tables; and what has changed since the last time.

import { placeOf } from '../../connect/origin.ts'
import { escapeText, excerpt } from '../../observe/escape.ts'
import { redact } from '../../observe/redact.ts'
import { many } from '../../observe/text.ts'
import type { PreviewedStep, PreviewedSteps } from '../../pipeline/preview-steps.ts'
import { tableLines } from './table.ts'

const INDENT = '   '
/** Reasons that are listed with their numbers. */
const SHOWN_LETTERS = 5

export interface StepsViewOptions {
  /** No line is longer. */
  readonly columns: number
  /** The only step that is shown. */
  readonly step?: number | undefined
  /** What was shown before: steps that gave the same are named only, and in others what is new and gone is marked. */
  readonly before?: PreviewedSteps | undefined
}

/** The lines of a preview. */
export function stepsView(preview: PreviewedSteps, { columns, step: only, before }: StepsViewOptions): string[] {
  const { steps, sink, notes } = preview
  const shown = only === undefined ? steps : steps.filter(({ number }) => number === only)
  const last = steps.at(-1)
  return [
    ...shown.flatMap((step) => stepLines(step, { columns, before, isChain: isChain(step, steps) })),
    ...(only === undefined ? letterLines(preview) : []),
    ...notes.map((note) => `note: ${excerpt(redact(note), 300)}`),
    `Preview: ${many(last?.events ?? 0, 'row')} for ${excerpt(redact(sink), 200)}, ${many(preview.dead, 'dead letter')}, of ${many(preview.read, 'record')}. Nothing was loaded.`,
  ]
}

/** Whether a step takes from the one above it, and from no other. */
function isChain({ number, inputs }: PreviewedStep, steps: readonly PreviewedStep[]): boolean {
  const isFirst = inputs.length === 0 && steps[0]?.number === number
  return isFirst || (inputs.length === 1 && inputs[0] === number - 1)
}

function stepLines(
  step: PreviewedStep,
  { columns, before, isChain: isNext }: { columns: number; before: PreviewedSteps | undefined; isChain: boolean },
): string[] {
  const { number, title, inputs, events, first } = step
  const from = isNext || inputs.length === 0 ? '' : ` (of steps ${inputs.join(' and ')})`
  const head = `${number} ${excerpt(redact(title), 100)}${from}: ${many(events, 'event')}`
  if (first.length === 0) return [head, '']
  const earlier = before?.steps.find((one) => one.number === number && one.title === title)
  if (earlier === undefined) return [head, ...tableOf(first, columns), '']
  const { rows, marks } = changed(earlier.first, first)
  if (marks.every((mark) => mark === ' ')) return [`${head}, the first as before`]
  return [head, ...tableOf(rows, columns, marks), '']
}

function tableOf(rows: readonly unknown[], columns: number, marks?: readonly string[]): string[] {
  const lines = tableLines(rows, { columns: columns - INDENT.length, ...(marks === undefined ? {} : { marks }) })
  return lines.map((line) => `${INDENT}${line}`)
}

/** Rows that are gone are marked `-`, new ones `+`; those in both come in their order. */
function changed(
  before: readonly unknown[],
  now: readonly unknown[],
): { readonly rows: readonly unknown[]; readonly marks: readonly string[] } {
  const [old = [], fresh = []] = [before, now].map((rows) => rows.map((row) => JSON.stringify(row)))
  const rows: unknown[] = []
  const marks: string[] = []
  const put = (mark: string, row: unknown): void => {
    marks.push(mark)
    rows.push(row)
  }
  let at = 0
  for (const [index, text] of fresh.entries()) {
    const same = old.indexOf(text, at)
    if (same < 0) {
      // In the place of one that does not come again.
      if (at < old.length && fresh.indexOf(old[at] as string, index) < 0) {
        put('-', before[at])
        at += 1
      }
      put('+', now[index])
      continue
    }
    for (; at < same; at += 1) put('-', before[at])
    put(' ', now[index])
    at += 1
  }
  for (; at < before.length; at += 1) put('-', before[at])
  return { rows, marks }
}

function letterLines({ dead, firstDeadLetters }: PreviewedSteps): string[] {
  if (dead === 0) return []
  const shown = firstDeadLetters.slice(0, SHOWN_LETTERS)
  const lines = shown.map(({ origin, step, reason }) => {
    return `${INDENT}${escapeText(redact(placeOf(origin)))}  ${excerpt(redact(step), 60)}: ${excerpt(redact(reason), 200)}`
  })
  const left = dead - shown.length
  return [many(dead, 'dead letter'), ...lines, ...(left > 0 ? [`${INDENT}and ${left} more`] : []), '']
}
