// How far a run is, as one line.

import { styleText } from 'node:util'
import { excerpt } from '../../observe/escape.ts'
import type { Rate } from '../../observe/rate.ts'
import { bytesText, countText, durationText } from '../../observe/text.ts'
import type { Progress } from '../../pipeline/report.ts'

export interface ProgressLineOptions {
  readonly progress: Progress
  readonly events: Rate
  readonly bytes: Rate
  readonly columns: number
  readonly hasColour: boolean
}

const BAR = 16

/**
 * Share done, bytes of total, events and bytes per second, time left, dead letters; what does not fit is left out from
 * the end. One column stays free: a terminal would wrap.
 */
export function progressLine({ progress, events, bytes, columns, hasColour }: ProgressLineOptions): string {
  const { pipeline, doneBytes, totalBytes, read, dead } = progress
  const parts: { readonly text: string; readonly colour?: 'cyan' | 'yellow' | 'dim' }[] = [
    { text: excerpt(pipeline, Math.max(4, Math.floor(columns / 4))) },
  ]
  if (totalBytes !== undefined) {
    const share = totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes)
    const full = Math.floor(share * BAR)
    parts.push({ text: `${'█'.repeat(full)}${'░'.repeat(BAR - full)}`, colour: 'cyan' })
    parts.push({ text: `${Math.floor(share * 100)} %` })
    parts.push({ text: `${bytesText(doneBytes)} of ${bytesText(totalBytes)}` })
  } else {
    parts.push({ text: bytesText(doneBytes) })
  }
  parts.push({ text: `${countText(read)} events` })
  if (dead > 0) parts.push({ text: `${countText(dead)} dead`, colour: 'yellow' })
  if (events.perSecond > 0) parts.push({ text: `${countText(events.perSecond)}/s` })
  if (bytes.perSecond > 0) parts.push({ text: `${bytesText(bytes.perSecond)}/s` })
  const etaMs = totalBytes === undefined ? undefined : bytes.etaMs(totalBytes - doneBytes)
  if (etaMs !== undefined) parts.push({ text: `${durationText(etaMs)} left`, colour: 'dim' })
  let line = ''
  let width = 0
  for (const { text, colour } of parts) {
    const gap = width === 0 ? '' : '  '
    if (width + gap.length + text.length > columns - 1) break
    width += gap.length + text.length
    line += gap + (hasColour && colour !== undefined ? styleText(colour, text, { validateStream: false }) : text)
  }
  return line
}
