// The door for users: sluice.
/// <reference types="node" preserve="true" />
/// <reference lib="es2024.promise" preserve="true" />

import './base/check-node.ts'

export type { Aggregate, AnyAggregate } from './aggregate/aggregate.ts'
export { collect as collectAll } from './aggregate/collect.ts'
export { count } from './aggregate/count.ts'
export { countDistinct, type DistinctState } from './aggregate/count-distinct.ts'
export type { DDSketch } from './aggregate/ddsketch.ts'
export { type EndState, first, last } from './aggregate/first-last.ts'
export { fold } from './aggregate/fold.ts'
export type { Frequencies, Frequency } from './aggregate/frequencies.ts'
export { largest, type RankedState, smallest } from './aggregate/largest-smallest.ts'
export { type MeanState, mean } from './aggregate/mean.ts'
export { type ExtremeState, max, min, type Ordered } from './aggregate/min-max.ts'
export { quantile } from './aggregate/quantile.ts'
export type { Aggregates, ResultOf } from './aggregate/record.ts'
export { type SumState, sum } from './aggregate/sum.ts'
export { topK } from './aggregate/top-k.ts'
export type { Value } from './aggregate/value.ts'
export { type Duration, duration } from './base/duration.ts'
export { type ErrorCode, type ErrorDetails, isSluiceError, SluiceError } from './base/errors.ts'
export type { Key } from './base/hash.ts'
export {
  type Batch,
  batchOf,
  deadLetterAt,
  type Origins,
  type ReadBatch,
  type RejectedRecord,
  readOf,
} from './connect/batch.ts'
export { type CheckpointedOptions, checkpointed } from './connect/checkpointed/sink.ts'
export type { Columns, ColumnType } from './connect/column.ts'
export { type Branch, type FanOutOptions, fanOut } from './connect/fan-out/sink.ts'
export { type CsvRow, type CsvSourceOptions, csvSource } from './connect/files/csv.ts'
export { type JsonArraySourceOptions, jsonArraySource } from './connect/files/json-array.ts'
export { lines } from './connect/files/lines.ts'
export { type NdjsonSourceOptions, ndjsonSource } from './connect/files/ndjson.ts'
export { type ParquetSourceOptions, parquetSource } from './connect/files/parquet.ts'
export { type CsvSinkOptions, csvSink } from './connect/files/part-files/csv.ts'
export { type NdjsonSinkOptions, ndjsonSink } from './connect/files/part-files/ndjson.ts'
export { type ParquetSinkOptions, parquetSink } from './connect/files/part-files/parquet.ts'
export { type FileSourceOptions, fileSource } from './connect/files/source.ts'
export { type LineFormat, type ParseLine, Rejection } from './connect/format.ts'
export { type AccessRequest, accessLog, type FormattedRequest } from './connect/formats/access-log/format.ts'
export { type CsvLineOptions, csvLine } from './connect/formats/csv/write.ts'
export { form } from './connect/formats/form.ts'
export { json } from './connect/formats/json/format.ts'
export {
  type SyslogData,
  type SyslogMessage,
  type SyslogOptions,
  syslog,
} from './connect/formats/syslog/format.ts'
export { type TextLinesOptions, type TextRow, textLines } from './connect/formats/text.ts'
export { type HttpSinkOptions, httpSink } from './connect/http-api/sink.ts'
export { type HttpPage, type HttpSourceOptions, httpSource } from './connect/http-api/source.ts'
export type { HeaderSource } from './connect/kits/http/address.ts'
export type { JsonOptions } from './connect/kits/json/parser.ts'
export type { SchemaMode } from './connect/kits/sql/evolve.ts'
export type { SqlRanges } from './connect/kits/sql/ranges.ts'
export type { NamedTexts } from './connect/kits/text/named-texts.ts'
export {
  type CallbackSinkOptions,
  callbackSink,
  type RefusedRows,
  type RowsContext,
  type TakeRows,
} from './connect/memory/callback.ts'
export { type LineOf, type StdoutSinkOptions, stdoutSink } from './connect/memory/stdout.ts'
export { type Tick, type TicksSourceOptions, ticksSource } from './connect/memory/ticks.ts'
export { type ValuesInput, valuesSource } from './connect/memory/values.ts'
export type { DeadLetter, Origin, SourceRecord, Tracked } from './connect/origin.ts'
export type { RowIdentity } from './connect/row-identity.ts'
export type { Shard } from './connect/shard.ts'
export type {
  Checkpoint,
  Guarantee,
  RowOf,
  Sink,
  SinkOptions,
  SinkWriter,
  Totals,
  TwoPhaseSink,
  TwoPhaseSinkOptions,
  TwoPhaseWriter,
} from './connect/sink.ts'
export type { Position, Source, SourceCounts, Split, SplitReader } from './connect/source.ts'
export { type SqliteSinkOptions, sqliteSink } from './connect/sqlite/sink.ts'
export { type SqliteSourceOptions, sqliteSource } from './connect/sqlite/source.ts'
export {
  type SseMeta,
  type SseSourceOptions,
  sseSource,
} from './connect/sse/source.ts'
export {
  type SyslogListen,
  type SyslogMeta,
  type SyslogPorts,
  type SyslogSourceOptions,
  syslogSource,
} from './connect/syslog/source.ts'
export { type TailSourceOptions, tailSource } from './connect/tail/source.ts'
export {
  type WebhookMeta,
  type WebhookSignature,
  type WebhookSourceOptions,
  webhookSource,
} from './connect/webhook/source.ts'
export { type Dashboard, type DashboardOptions, startDashboard } from './dashboard/dashboard.ts'
export { type WatchedRun, watchedRun } from './dashboard/watched.ts'
export { collect, run, start, stream } from './engine/collect.ts'
export { type ExplainOptions, explain } from './engine/explain.ts'
export type { FlowReport, FlowRunOptions } from './engine/options.ts'
export type { FailedCall } from './engine/rejection-log.ts'
export type { FlowSink, RunFlowOptions, RunningFlow } from './engine/running.ts'
export type { Runnable } from './engine/start.ts'
export type { AggregateOptions, AggregateRow } from './flow/aggregate.ts'
export type {
  BatchOptions,
  CallContext,
  Flow,
  Keyed,
  PartitionOptions,
  StepOptions,
  UniqOptions,
  Windowed,
} from './flow/flow.ts'
export type { Joined, JoinOptions } from './flow/join.ts'
export type { Emitted, Fired, GroupOptions, Outcome, ReduceOptions } from './flow/reduce.ts'
export type { FlowSource } from './flow/source.ts'
export { type FlowOptions, flow, flows } from './flow/start-flow.ts'
export type { MapAsyncOptions } from './flow/wait.ts'
export { EXPOSITION_TYPE } from './observe/exposition.ts'
export { type Level, type LogFields, type Logger, type LogOptions, lineLogger } from './observe/log.ts'
export type { Top } from './observe/top.ts'
export type { RunMessages } from './pipeline/channels.ts'
export type { MaxDeadLetters } from './pipeline/dead-letter-limit.ts'
export { type Param, type Params, type ParamValues, param } from './pipeline/param.ts'
export { type Pipeline, type PipelineSpec, pipeline, type UnchangedSpec } from './pipeline/pipeline.ts'
export { type ReplayReport, replayDeadLetters } from './pipeline/replay.ts'
export type { Progress, RunEvent, RunReport } from './pipeline/report.ts'
export type { LayerFigures, RunNotice, RunSnapshot, RunState, StageFigures } from './pipeline/snapshot.ts'
export { type PipelineRun, type StartOptions, startPipeline } from './pipeline/start.ts'
export { prometheusText } from './telemetry/prometheus.ts'
export { type Telemetry, telemetry } from './telemetry/telemetry.ts'
export type { Pane, PaneWindow, TimedWindow, UntimedWindow, WindowKind } from './window/pane.ts'
export { early, every, interval, late, onMark, type Trigger } from './window/trigger.ts'
export {
  type CountWindow,
  countWindow,
  type GlobalWindow,
  globalWindow,
  type ProcessingTimeWindow,
  processingTime,
  type SessionWindow,
  type SlidingWindow,
  session,
  sliding,
  type TumblingWindow,
  tumbling,
  type WindowSpec,
} from './window/window.ts'
