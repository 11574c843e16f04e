// Runs of another process: checked before anything of them is shown.

import type { LayerFigures, RunSnapshot, StageFigures } from '../../pipeline/snapshot.ts'

/** A genuine dashboard never has this many. */
const MOST_RUNS = 1000
const MOST_LAYERS = 1000
const MOST_STAGES = 10_000

const RUN_NUMBERS = [
  'atMs',
  'startedMs',
  'threads',
  'read',
  'dead',
  'doneBytes',
  'epoch',
  'restarts',
  'memoryBytes',
] as const satisfies readonly (keyof RunSnapshot)[]
const MAY_BE_NUMBERS = ['totalBytes', 'committedMs', 'commitTookMs', 'bottleneck'] as const
const STAGE_NUMBERS = ['received', 'emitted', 'demand', 'buffered'] as const satisfies readonly (keyof StageFigures)[]

/** The contents of `/api/snapshot`; undefined if it is something else. */
export function runsOf(answer: unknown): readonly RunSnapshot[] | undefined {
  const { runs } = recordOf(answer)
  return isListOf(runs, MOST_RUNS, isRun) ? runs : undefined
}

function isRun(value: unknown): value is RunSnapshot {
  const run = recordOf(value)
  const { pipeline, shard, source, sink, state, error, layers, notices } = run
  const totals = recordOf(run.run)
  return (
    [pipeline, source, sink, state].every(isText) &&
    (error === undefined || isText(error)) &&
    (shard === undefined || isText(shard)) &&
    RUN_NUMBERS.every((name) => isNumber(run[name])) &&
    MAY_BE_NUMBERS.every((name) => run[name] === undefined || isNumber(run[name])) &&
    ['loaded', 'dead', 'filtered'].every((name) => isNumber(totals[name])) &&
    isListOf(layers, MOST_LAYERS, isLayer) &&
    isListOf(notices, MOST_RUNS, isHappening)
  )
}

function isLayer(value: unknown): value is LayerFigures {
  const { number, title, dead, busyShare, stages } = recordOf(value)
  return [number, dead, busyShare].every(isNumber) && isText(title) && isListOf(stages, MOST_STAGES, isStage)
}

function isStage(value: unknown): value is StageFigures {
  const stage = recordOf(value)
  return STAGE_NUMBERS.every((name) => isNumber(stage[name]))
}

function isHappening(value: unknown): value is RunSnapshot['notices'][number] {
  const { atMs, kind, text } = recordOf(value)
  return isNumber(atMs) && isText(kind) && isText(text)
}

export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

export function isText(value: unknown): value is string {
  return typeof value === 'string'
}

export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

export function isListOf<T>(value: unknown, most: number, isOne: (one: unknown) => one is T): value is readonly T[] {
  return Array.isArray(value) && value.length <= most && value.every(isOne)
}
