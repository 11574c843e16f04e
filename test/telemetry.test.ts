import { deepEqual, equal, ok } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { metrics, SpanStatusCode, trace } from '@opentelemetry/api'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { startPipeline, telemetry } from 'sluice'
import { readOnDemand } from './support/read-on-demand.ts'

/** Collects when it is told to. */
class ByHand extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

describe('the telemetry of a run', () => {
  const exporter = new InMemorySpanExporter()
  const reader = new ByHand()
  before(() => {
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }))
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  })
  after(() => {
    trace.disable()
    metrics.disable()
  })

  const epochs = (): ReadableSpan[] => exporter.getFinishedSpans().filter(({ name }) => name === 'sluice.epoch')

  it('has a span for each epoch, with what was committed, linked with the one before', async () => {
    exporter.reset()
    const source = readOnDemand()
    const run = await startPipeline(source.pipeline, { epochMs: 1 })
    equal((await telemetry(run)).isOn, true)
    source.give(3)
    await source.committed(3)
    source.give(2)
    await source.committed(5)
    await run.drain('the test is over')
    const spans = epochs()
    deepEqual(
      spans.map(({ attributes }) => [attributes['sluice.epoch'], attributes['sluice.records.loaded']]),
      [
        [1, 3],
        [2, 2],
      ],
    )
    deepEqual(spans[0]?.links, [])
    equal(spans[1]?.links[0]?.context.spanId, spans[0]?.spanContext().spanId)
    equal(spans[0]?.attributes['sluice.pipeline'], 'numbers')
  })

  it('has a span for each layer below it, with what its stages did', async () => {
    exporter.reset()
    const source = readOnDemand()
    const run = await startPipeline(source.pipeline, { epochMs: 1 })
    await telemetry(run)
    source.give(3)
    await source.committed(3)
    await run.drain('the test is over')
    const [epoch] = epochs()
    const layers = exporter.getFinishedSpans().filter(({ name }) => name === 'sluice.layer')
    ok(layers.every(({ parentSpanContext }) => parentSpanContext?.spanId === epoch?.spanContext().spanId))
    deepEqual(
      layers.map(({ attributes }) => [attributes['sluice.layer.title'], attributes['sluice.emitted']]),
      [
        ['numbers', 3],
        ['rows', 3],
      ],
    )
  })

  it('says what an epoch was lost to, without credentials', async () => {
    exporter.reset()
    const source = readOnDemand({ fails: new Error('no way to amqp://ann:secret@host/x') })
    const run = await startPipeline(source.pipeline)
    await telemetry(run)
    await run.done.catch(() => {})
    deepEqual(
      epochs().map(({ status }) => status),
      [{ code: SpanStatusCode.ERROR, message: 'no way to amqp://***@host/x' }],
    )
  })

  it('observes metrics of the run, those of its end as well', async () => {
    const source = readOnDemand()
    const run = await startPipeline(source.pipeline, { epochMs: 1 })
    await telemetry(run)
    source.give(3)
    await source.committed(3)
    await source.settled()
    const collected = async (): Promise<Map<string, unknown>> => {
      const { resourceMetrics } = await reader.collect()
      const found = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)
      return new Map(found.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints.at(-1)?.value]))
    }
    const during = await collected()
    deepEqual([during.get('sluice.records_loaded'), during.get('sluice.stage_emitted')], [3, 3])
    source.give(2)
    await source.committed(5)
    await run.drain('the test is over')
    equal((await collected()).get('sluice.records_loaded'), 5)
  })

  it('links layers over exchanges, and has a span for each of several stages', async () => {
    exporter.reset()
    const job = new URL('./jobs/minutes.ts', import.meta.url)
    const folder = mkdtempSync(join(tmpdir(), 'sluice-telemetry-'))
    try {
      const readings = Array.from({ length: 500 }, (_, at) => ({
        sensor: `s${at % 7}`,
        at: at * 1000,
        celsius: at % 30,
      }))
      writeFileSync(join(folder, 'in.ndjson'), readings.map((one) => `${JSON.stringify(one)}\n`).join(''))
      const params = new Map([
        ['input', join(folder, 'in.ndjson')],
        ['db', join(folder, 'out.db')],
      ])
      const run = await startPipeline(job, { params, threads: 2 })
      await telemetry(run)
      await run.done
    } finally {
      rmSync(folder, { recursive: true })
    }
    const spans = exporter.getFinishedSpans()
    const layers = spans.filter(({ name }) => name === 'sluice.layer')
    const titles = new Map(layers.map((one) => [one.spanContext().spanId, one.attributes['sluice.layer']]))
    const [epoch] = epochs()
    const ofFirst = layers.filter(({ parentSpanContext }) => parentSpanContext?.spanId === epoch?.spanContext().spanId)
    ok(ofFirst.length > 2)
    for (const { attributes, links } of ofFirst.slice(1)) {
      deepEqual(
        links.map(({ context }) => titles.get(context.spanId)),
        [Number(attributes['sluice.layer']) - 1],
      )
    }
    const stages = spans.filter(({ name }) => name === 'sluice.stage')
    for (const layer of ofFirst.filter(({ attributes }) => Number(attributes['sluice.stages']) > 1)) {
      const own = stages.filter(({ parentSpanContext }) => parentSpanContext?.spanId === layer.spanContext().spanId)
      const emitted = own.reduce((sum, { attributes }) => sum + Number(attributes['sluice.emitted']), 0)
      deepEqual([own.length, emitted], [layer.attributes['sluice.stages'], layer.attributes['sluice.emitted']])
    }
    ok(stages.length > 0)
  })
})
