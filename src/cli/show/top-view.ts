// Runs at one moment as lines for a terminal: what each layer does, and which one is the bottleneck.

import { styleText } from 'node:util'
import { excerpt } from '../../observe/escape.ts'
import { bytesText, countText, durationText, many } from '../../observe/text.ts'
import { earlierCommit } from '../../pipeline/figures.ts'
import { shownName } from '../../pipeline/shown-name.ts'
import type { LayerFigures, RunSnapshot } from '../../pipeline/snapshot.ts'
import { type SharedPipeline, sharedLines } from './shards.ts'

export interface TopViewOptions {
  /** The same runs a while ago, for rates; without them, rates are since the start. */
  readonly before?: readonly RunSnapshot[]
  /** What is known of the copies of pipelines that are shared. */
  readonly shared?: readonly SharedPipeline[]
  /** No line is longer. */
  readonly columns: number
  readonly hasColour: boolean
}

interface Column {
  readonly title: string
  /** The lowest are left out first if the terminal is narrow. */
  readonly worth: number
  readonly isText?: boolean
  readonly of: (row: Row) => string
}

/** A layer, with its rates. */
interface Row {
  readonly layer: LayerFigures
  readonly receivedPerSecond: number
  readonly emittedPerSecond: number
  readonly isBottleneck: boolean
}

/** The most recent notices that are shown. */
const SHOWN_HAPPENINGS = 3
const GAP = '  '
const BAR = 8
const LONGEST_TITLE = 40
/** The least space for a layer's title before columns are left out for it. */
const LEAST_TITLE = 12

const COLUMNS: readonly Column[] = [
  { title: 'stages', worth: 3, of: ({ layer }) => countText(layer.stages.length) },
  { title: 'in/s', worth: 7, of: (row) => countText(row.receivedPerSecond) },
  { title: 'out/s', worth: 8, of: (row) => countText(row.emittedPerSecond) },
  { title: 'demand', worth: 4, of: ({ layer }) => countText(sum(layer, 'demand')) },
  { title: 'waiting', worth: 5, of: ({ layer }) => countText(sum(layer, 'buffered')) },
  { title: 'dead', worth: 6, of: ({ layer }) => countText(layer.dead) },
  { title: 'busy', worth: 9, of: ({ layer }) => `${Math.round(layer.busyShare * 100)} %` },
  { title: '', worth: 2, isText: true, of: ({ layer }) => bar(layer.busyShare) },
]

/**
 * The lines of all runs, one below the other; foreign text is escaped and cut.
 *
 * Rates cover the time between two snapshots; they are unknown if a run restarted in between.
 */
export function topView(runs: readonly RunSnapshot[], options: TopViewOptions): string[] {
  if (runs.length === 0) return [cut('nothing is running', options.columns)]
  return runs.flatMap((run, index) => [
    ...(index === 0 ? [] : ['']),
    ...runLines(run, earlierOf(run, options), options),
  ])
}

/** The same run a while ago. */
function earlierOf({ pipeline, startedMs }: RunSnapshot, { before }: TopViewOptions): RunSnapshot | undefined {
  return before?.find((one) => one.pipeline === pipeline && one.startedMs === startedMs)
}

/** Records per second that a run reads. */
export function perSecondOf(run: RunSnapshot, options: TopViewOptions): number {
  const before = earlierOf(run, options)
  return rate(run.read, before?.read, secondsOf(run, before))
}

/** A line about a run, in the colour of its state. */
export function colourOf({ state }: RunSnapshot, line: string, { hasColour }: TopViewOptions): string {
  return colour(line, hasColour, state === 'failed' ? 'red' : state === 'running' ? 'bold' : 'yellow')
}

function runLines(run: RunSnapshot, before: RunSnapshot | undefined, options: TopViewOptions): string[] {
  const { columns, hasColour } = options
  const shared = options.shared?.find(({ pipeline }) => pipeline === run.pipeline)
  const own = [
    `${shownName(run)}: ${run.state}${GAP}${durationText(run.atMs - run.startedMs)}${GAP}${run.source} > ${run.sink}`,
    ...(run.error === undefined ? [] : [`${GAP}${run.error}`]),
    `${GAP}${progressText(run, options)}`,
    `${GAP}${commitText(run)}`,
    ...(shared === undefined ? [] : sharedLines(shared)).map((line) => `${GAP}${line}`),
  ].map((line) => cut(excerpt(line, columns), columns))
  const [title = '', ...rest] = own
  return [
    colourOf(run, title, options),
    ...rest,
    ...layerLines(run, before, options),
    ...run.notices.slice(-SHOWN_HAPPENINGS).map(({ atMs, kind, text }) => {
      return colour(cut(excerpt(`${GAP}${timeText(atMs)} ${kind}: ${text}`, columns), columns), hasColour, 'dim')
    }),
  ]
}

function progressText(run: RunSnapshot, options: TopViewOptions): string {
  const { read, dead, run: committed, doneBytes, totalBytes } = run
  const perSecond = perSecondOf(run, options)
  const counts = [`read ${countText(read)}`, `loaded ${countText(committed.loaded)}`, `dead ${countText(dead)}`]
  if (committed.filtered > 0) counts.push(`filtered ${countText(committed.filtered)}`)
  const bytes =
    totalBytes === undefined || totalBytes <= 0
      ? bytesText(doneBytes)
      : `${bytesText(doneBytes)} of ${bytesText(totalBytes)} (${Math.min(100, Math.floor((doneBytes / totalBytes) * 100))} %)`
  return [...counts, `${countText(perSecond)}/s`, ...(doneBytes > 0 ? [bytes] : [])].join(GAP)
}

function commitText({
  epoch,
  atMs,
  committedMs,
  commitTookMs = 0,
  restarts,
  threads,
  memoryBytes,
}: RunSnapshot): string {
  const committed =
    committedMs === undefined
      ? earlierCommit(epoch)
      : `epoch ${epoch}, committed ${durationText(Math.max(0, atMs - committedMs))} ago in ${Math.round(commitTookMs)} ms`
  const parts = [committed, bytesText(memoryBytes)]
  if (threads > 0) parts.push(many(threads, 'thread'))
  if (restarts > 0) parts.push(many(restarts, 'restart'))
  return parts.join(GAP)
}

function layerLines(
  run: RunSnapshot,
  before: RunSnapshot | undefined,
  { columns, hasColour }: TopViewOptions,
): string[] {
  const seconds = secondsOf(run, before)
  const rows = run.layers.map((layer): Row => {
    const earlier = before?.layers.find(({ number }) => number === layer.number)
    const per = (figure: 'received' | 'emitted'): number =>
      rate(sum(layer, figure), earlier === undefined ? undefined : sum(earlier, figure), seconds)
    const isBottleneck = layer.number === run.bottleneck
    return { layer, receivedPerSecond: per('received'), emittedPerSecond: per('emitted'), isBottleneck }
  })
  const cells = COLUMNS.map((column) => {
    const texts = rows.map((row) => column.of(row))
    return { column, texts, width: Math.max(column.title.length, ...texts.map((text) => text.length)) }
  }).filter(({ width }) => width > 0)
  const titles = run.layers.map(({ number, title }) => `${number} ${excerpt(title, LONGEST_TITLE)}`)
  const widest = Math.max('layer'.length, ...titles.map((title) => title.length))
  let free = columns - GAP.length - Math.min(widest, LEAST_TITLE)
  const kept = new Set<Column>()
  for (const { column, width } of cells.toSorted((a, b) => b.column.worth - a.column.worth)) {
    if (width + GAP.length > free) continue
    kept.add(column)
    free -= width + GAP.length
  }
  const width = Math.min(widest, Math.max(0, free) + Math.min(widest, LEAST_TITLE))
  const line = (title: string, textOf: (cell: (typeof cells)[number]) => string): string => {
    const parts = cells
      .filter(({ column }) => kept.has(column))
      .map((cell) => (cell.column.isText ? textOf(cell).padEnd(cell.width) : textOf(cell).padStart(cell.width)))
    return cut([`${GAP}${cut(title, width).padEnd(width)}`, ...parts].join(GAP).trimEnd(), columns)
  }
  return [
    colour(
      line('layer', ({ column }) => column.title),
      hasColour,
      'dim',
    ),
    ...rows.map(({ isBottleneck }, at) => {
      const text = line(titles[at] ?? '', ({ texts }) => texts[at] ?? '')
      return isBottleneck ? colour(text, hasColour, 'yellow') : text
    }),
    ...(run.bottleneck === undefined
      ? []
      : [colour(cut(`${GAP}layer ${run.bottleneck} is the bottleneck`, columns), hasColour, 'yellow')]),
  ]
}

function secondsOf({ atMs, startedMs }: RunSnapshot, before: RunSnapshot | undefined): number {
  return (atMs - (before?.atMs ?? startedMs)) / 1000
}

/** Counts restart with every attempt: then they cover the time since. */
function rate(count: number, before: number | undefined, seconds: number): number {
  const grown = before === undefined || count < before ? count : count - before
  return seconds <= 0 ? 0 : grown / seconds
}

function sum({ stages }: LayerFigures, figure: 'received' | 'emitted' | 'demand' | 'buffered'): number {
  return stages.reduce((total, stage) => total + stage[figure], 0)
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * BAR)
  return `${'#'.repeat(full)}${'.'.repeat(BAR - full)}`
}

function timeText(atMs: number): string {
  const date = new Date(atMs)
  return Number.isNaN(date.getTime()) ? '?' : date.toISOString().slice(11, 19)
}

export function cut(text: string, columns: number): string {
  if (text.length <= columns) return text
  return columns < 2 ? text.slice(0, Math.max(0, columns)) : `${text.slice(0, columns - 1)}…`
}

function colour(text: string, hasColour: boolean, style: 'bold' | 'dim' | 'red' | 'yellow'): string {
  return hasColour ? styleText(style, text, { validateStream: false }) : text
}
