// The progress of a run, as one line.

import { styleText } from 'node:util'
import { excerpt } from '../../observe/escape.ts'
import type { Rate } from '../../observe/rate.ts'
import { bytesText, countText, durationText } from '../../observe/text.ts'
import type { Progress } from '../../pipeline/report.ts'
import { shownName } from '../../pipeline/shown-name.ts'

export interface ProgressLineOptions {
  readonly progress: Progress
  readonly events: Rate
  readonly bytes: Rate
  readonly columns: number
  readonly hasColour: boolean
}

interface Part {
  readonly text: string
  /** The lowest are left out first if the terminal is narrow. */
  readonly worth: number
  readonly colour?: 'cyan' | 'yellow' | 'dim'
}

const BAR = 16
const GAP = '  '

/**
 * Share done, bytes of total, events, dead letters, events and bytes per second, time left. What does not fit is left
 * out, the least useful first; one column stays free, as a terminal would wrap.
 */
export function progressLine(options: ProgressLineOptions): string {
  const parts = partsOf(options)
  let free = options.columns - 1 + GAP.length
  const kept = new Set<Part>()
  for (const part of parts.toSorted((a, b) => b.worth - a.worth)) {
    const width = part.text.length + GAP.length
    if (width > free) continue
    kept.add(part)
    free -= width
  }
  return parts
    .filter((part) => kept.has(part))
    .map(({ text, colour }) => {
      return options.hasColour && colour !== undefined ? styleText(colour, text, { validateStream: false }) : text
    })
    .join(GAP)
}

function partsOf({ progress, events, bytes }: ProgressLineOptions): Part[] {
  const { doneBytes, totalBytes, read, dead } = progress
  const parts: Part[] = [{ text: excerpt(shownName(progress), 24), worth: 3 }]
  if (totalBytes === undefined) {
    if (doneBytes > 0) parts.push({ text: bytesText(doneBytes), worth: 9 })
  } else {
    const share = totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes)
    const full = Math.floor(share * BAR)
    parts.push({ text: `${'█'.repeat(full)}${'░'.repeat(BAR - full)}`, worth: 4, colour: 'cyan' })
    parts.push({ text: `${Math.floor(share * 100)} %`, worth: 9 })
    parts.push({ text: `${bytesText(doneBytes)} of ${bytesText(totalBytes)}`, worth: 2 })
  }
  parts.push({ text: `${countText(read)} events`, worth: 1 })
  if (dead > 0) parts.push({ text: `${countText(dead)} dead`, worth: 6, colour: 'yellow' })
  if (events.perSecond > 0) parts.push({ text: `${countText(events.perSecond)}/s`, worth: 7 })
  if (bytes.perSecond > 0) parts.push({ text: `${bytesText(bytes.perSecond)}/s`, worth: 5 })
  const etaMs = totalBytes === undefined ? undefined : bytes.etaMs(Math.max(0, totalBytes - doneBytes))
  if (etaMs !== undefined) parts.push({ text: `${durationText(etaMs)} left`, worth: 8, colour: 'dim' })
  return parts
}
