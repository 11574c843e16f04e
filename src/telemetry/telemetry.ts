// A run as OpenTelemetry spans and metrics, for the provider that the program has registered.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Attributes, BatchObservableResult, Context, Link, Observable, Tracer } from '@opentelemetry/api'
import { messageOf } from '../base/errors.ts'
import type { Totals } from '../connect/sink.ts'
import { subtractTotals } from '../connect/totals.ts'
import { redact } from '../observe/redact.ts'
import type { RunMessages } from '../pipeline/channels.ts'
import type { LayerFigures, RunSnapshot, StageFigures } from '../pipeline/snapshot.ts'
import type { PipelineRun } from '../pipeline/start.ts'
import { runMetrics } from './prometheus.ts'

/** Spans and metrics of a run, until it has ended. */
export interface Telemetry {
  /** False if `@opentelemetry/api` is not installed: nothing is reported then. */
  readonly isOn: boolean
  /** Ends it before the run does. */
  stop(): void
}

type Api = typeof import('@opentelemetry/api')

const NAME = 'sluice'
/** With more stages than this, in all layers, only layers have spans. */
const MOST_STAGES = 64

/**
 * Reports a run to OpenTelemetry, `await telemetry(await startPipeline(job))`, through the provider that the program
 * has registered.
 *
 * - **A span for each epoch**, `sluice.epoch`, from the previous commit to its own, with what was committed and how
 *   long that took; linked with the previous epoch. Below it a span for each layer, `sluice.layer`, with what its
 *   stages did in that time, linked with the layers it takes from; below a layer of several stages one for each of
 *   them, `sluice.stage`, if all layers together have at most 64. Work lost to a failure is an epoch with an error.
 * - **Metrics** are observed when they are collected, and once more after the end of the run: those of
 *   `prometheusText`, as `sluice.stage.received` and so on.
 * - **Nothing happens** if `@opentelemetry/api` is not installed, or nothing is registered. No span carries data.
 */
export async function telemetry(run: PipelineRun): Promise<Telemetry> {
  const api = await loadApi()
  if (api === undefined) return { isOn: false, stop: () => {} }
  const spans = new EpochSpans(api, run)
  const metrics = observe(api, run)
  const stop = (): void => {
    spans.stop()
    metrics.stop()
  }
  // Whoever awaits the run gets its error; the last span has recorded it, too.
  const ended = (): void => {
    spans.stop()
    metrics.end()
  }
  run.done.then(ended, ended)
  return { isOn: true, stop }
}

async function loadApi(): Promise<Api | undefined> {
  try {
    return await import('@opentelemetry/api')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** Makes a span of each epoch when its commit is reported. */
class EpochSpans {
  readonly #api: Api
  readonly #tracer: Tracer
  readonly #run: PipelineRun
  readonly #pipeline: string
  /** When the open epoch started, in epoch milliseconds, and what had been committed and done by then. */
  #sinceMs: number
  #totals: Totals
  #layers: readonly LayerFigures[]
  /** The previous epoch. */
  #links: Link[] = []

  constructor(api: Api, run: PipelineRun) {
    const { pipeline, startedMs, overall, layers, committedMs } = run.snapshot()
    this.#api = api
    this.#tracer = api.trace.getTracer(NAME)
    this.#run = run
    this.#pipeline = pipeline
    this.#sinceMs = committedMs ?? startedMs
    this.#totals = overall
    this.#layers = layers
    subscribe('sluice:run:commit', this.#onCommit)
    subscribe('sluice:run:retry', this.#onFailure)
    subscribe('sluice:run:end', this.#onFailure)
  }

  stop(): void {
    unsubscribe('sluice:run:commit', this.#onCommit)
    unsubscribe('sluice:run:retry', this.#onFailure)
    unsubscribe('sluice:run:end', this.#onFailure)
  }

  readonly #onCommit = (message: unknown): void => {
    const { pipeline, epoch, totals, tookMs } = message as RunMessages['sluice:run:commit']
    if (pipeline !== this.#pipeline) return
    const { read, loaded, dead, filtered } = subtractTotals(totals, this.#totals)
    this.#span({
      'sluice.epoch': epoch,
      'sluice.records.read': read,
      'sluice.records.loaded': loaded,
      'sluice.records.dead': dead,
      'sluice.records.filtered': filtered,
      'sluice.commit.duration': tookMs / 1000,
    })
    this.#totals = totals
  }

  readonly #onFailure = (message: unknown): void => {
    const { pipeline, error } = message as { readonly pipeline: string; readonly error?: unknown }
    if (pipeline === this.#pipeline && error !== undefined) this.#span({}, redact(messageOf(error)))
  }

  #span(attributes: Attributes, failure?: string): void {
    const { trace, context, ROOT_CONTEXT, SpanStatusCode } = this.#api
    const { atMs, layers } = this.#run.snapshot()
    const startTime = Math.min(this.#sinceMs, atMs)
    const own = { 'sluice.pipeline': this.#pipeline, ...attributes }
    const span = this.#tracer.startSpan('sluice.epoch', { startTime, attributes: own, links: this.#links, root: true })
    const below = trace.setSpan(context.active() ?? ROOT_CONTEXT, span)
    /** Layer → its span, for links from the layers that take from it. */
    const spans = new Map<number, Link>()
    const areFew = layers.reduce((count, { stages }) => count + stages.length, 0) <= MOST_STAGES
    for (const layer of layers) {
      const before = this.#layers.find(({ number }) => number === layer.number)
      const done = difference(layer.stages, before?.stages)
      if (done === undefined) continue
      const links = layer.inputs.flatMap(({ from }) => spans.get(from) ?? [])
      const attributes = {
        'sluice.layer': layer.number,
        'sluice.layer.title': layer.title,
        'sluice.stages': layer.stages.length,
        ...done,
      }
      const one = this.#tracer.startSpan('sluice.layer', { startTime, attributes, links }, below)
      spans.set(layer.number, { context: one.spanContext() })
      if (areFew && layer.stages.length > 1) this.#stages(layer, before, { startTime, atMs }, trace.setSpan(below, one))
      one.end(atMs)
    }
    if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure })
    span.end(atMs)
    this.#links = [{ context: span.spanContext() }]
    this.#sinceMs = atMs
    this.#layers = layers
  }

  /** A span for each stage of a layer, below that of the layer. */
  #stages(
    { number, stages }: LayerFigures,
    before: LayerFigures | undefined,
    { startTime, atMs }: { readonly startTime: number; readonly atMs: number },
    below: Context,
  ): void {
    for (const stage of stages) {
      const earlier = before?.stages.filter((one) => one.stage === stage.stage)
      const done = difference([stage], earlier)
      if (done === undefined) continue
      const attributes = { 'sluice.layer': number, 'sluice.stage': stage.stage, ...done }
      this.#tracer.startSpan('sluice.stage', { startTime, attributes }, below).end(atMs)
    }
  }
}

/** What stages did since the last look; undefined if they restarted. */
function difference(
  stages: readonly StageFigures[],
  before: readonly StageFigures[] | undefined,
): Attributes | undefined {
  const since = (figure: 'received' | 'emitted' | 'busyMs'): number => sum(stages, figure) - sum(before ?? [], figure)
  const [received, emitted, busyMs] = [since('received'), since('emitted'), since('busyMs')]
  if (received < 0 || emitted < 0 || busyMs < 0) return undefined
  return { 'sluice.received': received, 'sluice.emitted': emitted, 'sluice.busy': busyMs / 1000 }
}

function sum(stages: readonly StageFigures[], figure: 'received' | 'emitted' | 'busyMs'): number {
  return stages.reduce((total, stage) => total + stage[figure], 0)
}

/** Pipeline → stops observing its last run: of two runs of one pipeline, the last one counts. */
const observed = new Map<string, () => void>()

/** Observes the metrics of a run whenever they are collected, and once more when it has ended. */
function observe(api: Api, run: PipelineRun): { end(): void; stop(): void } {
  let hasEnded = false
  const meter = api.metrics.getMeter(NAME)
  const instruments = new Map<string, Observable>()
  for (const { name, type, help } of runMetrics([run.snapshot()])) {
    const options = { description: help, unit: unitOf(name) }
    const own = instrumentName(name)
    const made =
      type === 'counter' ? meter.createObservableCounter(own, options) : meter.createObservableGauge(own, options)
    instruments.set(name, made)
  }
  const look = (result: BatchObservableResult): void => {
    const snapshot: RunSnapshot = run.snapshot()
    for (const { name, samples } of runMetrics([snapshot])) {
      const instrument = instruments.get(name)
      if (instrument === undefined) continue
      for (const { labels, value } of samples) result.observe(instrument, value, { ...labels })
    }
    if (hasEnded) stop()
  }
  const all = [...instruments.values()]
  const { pipeline } = run.snapshot()
  const stop = (): void => {
    meter.removeBatchObservableCallback(look, all)
    if (observed.get(pipeline) === stop) observed.delete(pipeline)
  }
  observed.get(pipeline)?.()
  observed.set(pipeline, stop)
  meter.addBatchObservableCallback(look, all)
  const end = (): void => {
    hasEnded = true
  }
  return { end, stop }
}

/** Without what OpenTelemetry expresses by type and unit: `sluice_stage_busy_seconds_total` is `sluice.stage_busy`. */
function instrumentName(name: string): string {
  return name
    .replace(/_total$/, '')
    .replace(/_(?:seconds|bytes|ratio)$/, '')
    .replace('_', '.')
}

function unitOf(name: string): string {
  if (/_seconds(?:_total)?$/.test(name)) return 's'
  return /_bytes$/.test(name) ? 'By' : '1'
}
