// Runs as metrics, in the text format of Prometheus.

import { exposition, type Family, type Sample } from '../observe/exposition.ts'
import type { LayerFigures, RunSnapshot, StageFigures } from '../pipeline/snapshot.ts'

/** Every metric, and its value for a run. */
interface Metric<Of> {
  readonly name: string
  readonly type: Family['type']
  readonly help: string
  /** Undefined if there is no value yet. */
  readonly of: (of: Of) => number | undefined
}

const RUN: readonly Metric<RunSnapshot>[] = [
  counter('sluice_records_read_total', 'Records read and committed by this run.', ({ run }) => run.read),
  counter('sluice_records_loaded_total', 'Rows loaded and committed by this run.', ({ run }) => run.loaded),
  counter('sluice_records_dead_total', 'Dead letters committed by this run.', ({ run }) => run.dead),
  counter('sluice_records_filtered_total', 'Events dropped by the flow, committed.', ({ run }) => run.filtered),
  counter('sluice_records_blank_total', 'Blank records, committed.', ({ run }) => run.blank),
  counter('sluice_records_derived_total', 'Events beyond the first of a record, committed.', ({ run }) => run.derived),
  counter(
    'sluice_records_absorbed_total',
    'Events absorbed by windows, aggregates and joins, committed.',
    ({ run }) => run.absorbed,
  ),
  gauge('sluice_records_uncommitted', 'Records read but not yet committed.', ({ read, run }) =>
    Math.max(0, read - run.read),
  ),
  gauge('sluice_source_done_bytes', 'Progress of the run in its source, in bytes.', ({ doneBytes }) => doneBytes),
  gauge('sluice_source_size_bytes', 'What the run has to read, in bytes, if known.', ({ totalBytes }) => totalBytes),
  gauge('sluice_epoch', 'The last epoch committed.', ({ epoch }) => epoch),
  gauge('sluice_last_commit_timestamp_seconds', 'Time of the last commit of this run.', (one) => one.committedMs),
  gauge('sluice_last_commit_duration_seconds', 'Duration of the last commit.', (one) => one.commitTookMs),
  gauge('sluice_start_timestamp_seconds', 'Start of the run.', ({ startedMs }) => startedMs),
  counter('sluice_restarts_total', 'How often the run restarted from its last commit.', ({ restarts }) => restarts),
  gauge('sluice_worker_threads', 'Worker threads of the run; 0 if it has none.', ({ threads }) => threads),
]

const LAYER: readonly Metric<LayerFigures>[] = [
  counter('sluice_layer_dead_total', 'Dead letters of a layer in this attempt, committed or not.', ({ dead }) => dead),
  gauge(
    'sluice_layer_busy_ratio',
    'Share of the last seconds that the stages of a layer were busy.',
    (one) => one.busyShare,
  ),
]

const STAGE: readonly Metric<StageFigures>[] = [
  counter('sluice_stage_received_total', 'Events received by a stage in this attempt.', ({ received }) => received),
  counter('sluice_stage_emitted_total', 'Events emitted by a stage in this attempt.', ({ emitted }) => emitted),
  counter(
    'sluice_stage_filtered_total',
    'Events dropped by a stage on purpose in this attempt.',
    ({ filtered }) => filtered,
  ),
  counter(
    'sluice_stage_derived_total',
    'Events that a stage derived from others in this attempt, beyond one of each.',
    ({ derived }) => derived,
  ),
  gauge('sluice_stage_demand', 'Events asked of a stage and not yet emitted.', ({ demand }) => demand),
  gauge('sluice_stage_buffered', 'Events waiting in a stage.', ({ buffered }) => buffered),
  counter('sluice_stage_busy_seconds_total', 'Time that a stage was busy in this attempt.', ({ busyMs }) => busyMs),
  gauge('sluice_stage_watermark_timestamp_seconds', 'The last watermark of a stage.', (one) => one.watermarkMs),
]

const STATES = ['running', 'paused', 'waiting', 'draining', 'finished', 'drained', 'failed'] as const

/**
 * Runs as metrics: one family per metric, whatever the number of runs. Of two runs of one pipeline, the last one
 * counts.
 *
 * Counters restart with every run, those of layers and stages with every attempt: Prometheus recognizes that as a
 * reset.
 */
export function runMetrics(runs: readonly RunSnapshot[]): Family[] {
  const own = [...new Map(runs.map((run) => [run.pipeline, run])).values()]
  const layers = own.flatMap(({ pipeline, layers }) =>
    layers.map((layer) => ({ labels: { pipeline, layer: layer.number }, of: layer })),
  )
  const stages = layers.flatMap(({ labels, of }) =>
    of.stages.map((stage) => ({ labels: { ...labels, stage: stage.stage }, of: stage })),
  )
  const plain = own.map((run) => ({ labels: { pipeline: run.pipeline }, of: run }))
  return [
    family('sluice_run_info', 'A run: its source and its sink.', own.map(runInfo)),
    family('sluice_run_state', 'State of a run: 1 for the current one.', own.flatMap(states)),
    ...RUN.map((metric) => familyOf(metric, plain)),
    family('sluice_layer_info', 'A layer: its kind and what it does.', own.flatMap(layerInfos)),
    family('sluice_layer_bottleneck', 'Whether a layer is the bottleneck.', own.flatMap(bottlenecks)),
    ...LAYER.map((metric) => familyOf(metric, layers)),
    ...STAGE.map((metric) => familyOf(metric, stages)),
    // Of the process, which all runs share.
    family('sluice_memory_bytes', 'Resident memory of the process.', own.slice(-1).map(memory)),
  ]
}

/**
 * Runs in the text format of Prometheus, with names, units and types. Served as `EXPOSITION_TYPE`.
 *
 * @see https://prometheus.io/docs/practices/naming/
 */
export function prometheusText(runs: readonly RunSnapshot[]): string {
  return exposition(runMetrics(runs))
}

function counter<Of>(name: string, help: string, of: Metric<Of>['of']): Metric<Of> {
  return { name, type: 'counter', help, of }
}

function gauge<Of>(name: string, help: string, of: Metric<Of>['of']): Metric<Of> {
  return { name, type: 'gauge', help, of }
}

function family(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: 'gauge', help, samples }
}

function familyOf<Of>(
  { name, type, help, of }: Metric<Of>,
  all: readonly { readonly labels: Sample['labels']; readonly of: Of }[],
): Family {
  // Sluice counts in milliseconds, Prometheus in seconds.
  const inSeconds = name.includes('_seconds')
  const samples = all.flatMap((one) => {
    const value = of(one.of)
    return value === undefined ? [] : [{ labels: one.labels, value: inSeconds ? value / 1000 : value }]
  })
  return { name, type, help, samples }
}

function runInfo({ pipeline, source, sink }: RunSnapshot): Sample {
  return { labels: { pipeline, source, sink }, value: 1 }
}

function states({ pipeline, state: now }: RunSnapshot): Sample[] {
  return STATES.map((state) => ({ labels: { pipeline, state }, value: state === now ? 1 : 0 }))
}

function layerInfos({ pipeline, layers }: RunSnapshot): Sample[] {
  return layers.map(({ number, kind, title }) => ({ labels: { pipeline, layer: number, kind, title }, value: 1 }))
}

function bottlenecks({ pipeline, layers, bottleneck }: RunSnapshot): Sample[] {
  return layers.map(({ number }) => ({ labels: { pipeline, layer: number }, value: number === bottleneck ? 1 : 0 }))
}

function memory({ memoryBytes }: RunSnapshot): Sample {
  return { labels: {}, value: memoryBytes }
}
