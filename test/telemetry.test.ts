import { deepEqual, equal, ok } from 'node:assert/strict'
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
})
