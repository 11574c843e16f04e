// The door for users: sluice.
/// <reference types="node" preserve="true" />
/// <reference lib="es2024.promise" preserve="true" />

import './base/check-node.ts'

export type { Aggregate, AnyAggregate } from './aggregate/aggregate.ts'
export { collect as collectAll } from './aggregate/collect.ts'
export { count } from './aggregate/count.ts'
export { countDistinct, type DistinctState } from './aggregate/count-distinct.ts'
export { type EndState, first, last } from './aggregate/first-last.ts'
export { fold } from './aggregate/fold.ts'
export type { Frequencies, Frequency } from './aggregate/frequencies.ts'
export { largest, type RankedState, smallest } from './aggregate/largest-smallest.ts'
export { type MeanState, mean } from './aggregate/mean.ts'
export { type ExtremeState, max, min, type Ordered } from './aggregate/min-max.ts'
export { quantile } from './aggregate/quantile.ts'
export type { Aggregates, ResultOf } from './aggregate/record.ts'
export type { Sketch } from './aggregate/sketch.ts'
export { type SumState, sum } from './aggregate/sum.ts'
export { topK } from './aggregate/top-k.ts'
export type { Value } from './aggregate/value.ts'
export { type Duration, duration } from './base/duration.ts'
export { type ErrorCode, type ErrorDetails, isSluiceError, SluiceError } from './base/errors.ts'
export type { Key } from './base/hash.ts'
export {
  type Batch,
  batchOf,
  letterAt,
  type Origins,
  type ReadBatch,
  type RejectedRecord,
  readOf,
} from './connect/batch.ts'
export { type CheckpointedOptions, checkpointed } from './connect/checkpointed/sink.ts'
export type { Columns, ColumnType } from './connect/column.ts'
export { type Branch, type SeveralOptions, several } from './connect/fan-out/sink.ts'
export { type CsvOptions, type CsvRow, csv } from './connect/files/csv.ts'
export { type JsonArrayOptions, jsonArray } from './connect/files/json-array.ts'
export { lines } from './connect/files/lines.ts'
export { type NdjsonOptions, ndjson } from './connect/files/ndjson.ts'
export { type ParquetOptions, parquet } from './connect/files/parquet.ts'
export { type CsvFilesOptions, csvFiles } from './connect/files/part-files/csv.ts'
export { type NdjsonFilesOptions, ndjsonFiles } from './connect/files/part-files/ndjson.ts'
export { type ParquetFilesOptions, parquetFiles } from './connect/files/part-files/parquet.ts'
export { type FilesOptions, files } from './connect/files/source.ts'
export { type LineFormat, type ParseLine, Rejection } from './connect/format.ts'
export { type AccessRequest, accessLog, type FormattedRequest } from './connect/formats/access-log/format.ts'
export { type CsvLineOptions, csvLine } from './connect/formats/csv/write.ts'
export { form } from './connect/formats/form.ts'
export { json } from './connect/formats/json/format.ts'
export {
  type SyslogData,
  type SyslogLineOptions,
  type SyslogMessage,
  syslogLine,
} from './connect/formats/syslog/format.ts'
export { textLines } from './connect/formats/text.ts'
export { type HttpOptions, http } from './connect/http-api/sink.ts'
export { type HttpPage, type HttpPagesOptions, httpPages } from './connect/http-api/source.ts'
export type { HeaderSource } from './connect/kits/http/address.ts'
export type { JsonOptions } from './connect/kits/json/parser.ts'
export type { SchemaMode } from './connect/kits/sql/evolve.ts'
export type { NamedTexts } from './connect/kits/text/named-texts.ts'
export {
  type RefusedRows,
  type RowsContext,
  type TakeRows,
  type ToFunctionOptions,
  toFunction,
} from './connect/memory/function.ts'
export { type LineOf, type StdoutOptions, stdout } from './connect/memory/stdout.ts'
export { type Tick, type TicksOptions, ticks } from './connect/memory/ticks.ts'
export { type ValuesInput, values } from './connect/memory/values.ts'
export type { DeadLetter, Entry, Origin, Traced } from './connect/origin.ts'
export type { RowIdentity } from './connect/row-identity.ts'
export type {
  Checkpoint,
  Guarantee,
  PlainSink,
  PlainSinkOptions,
  PlainWriter,
  RowOf,
  Sink,
  SinkOptions,
  SinkWriter,
  Totals,
} from './connect/sink.ts'
export type { Position, Source, SourceCounts, Split, SplitReader } from './connect/source.ts'
export { type SqliteOptions, sqlite } from './connect/sqlite/sink.ts'
export { type SqliteQueryOptions, sqliteQuery } from './connect/sqlite/source.ts'
export {
  type ServerEventMeta,
  type ServerSentEventsOptions,
  serverSentEvents,
} from './connect/sse/source.ts'
export {
  type SyslogListen,
  type SyslogMeta,
  type SyslogOptions,
  type SyslogPorts,
  syslog,
} from './connect/syslog/source.ts'
export { type TailOptions, tail } from './connect/tail/source.ts'
export { type WebhookMeta, type WebhookOptions, type WebhookSignature, webhook } from './connect/webhook/source.ts'
export { type Dashboard, type DashboardOptions, startDashboard } from './dashboard/dashboard.ts'
export { type WatchedRun, watchedRun } from './dashboard/watched.ts'
export type { Blame } from './engine/account.ts'
export { collect, run, start, stream } from './engine/collect.ts'
export { type ExplainOptions, explain } from './engine/explain.ts'
export type { FlowReport, FlowRunOptions } from './engine/options.ts'
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
export { type Param, type Params, type ParamValues, param } from './pipeline/param.ts'
export { type Pipeline, type PipelineSpec, pipeline, type UnchangedSpec } from './pipeline/pipeline.ts'
export type { MaxDeadLetters } from './pipeline/reject-limit.ts'
export { type ReplayReport, replayDeadLetters } from './pipeline/replay.ts'
export type { Progress, RunEvent, RunReport } from './pipeline/report.ts'
export type { Happening, LayerFigures, RunSnapshot, RunState, StageFigures } from './pipeline/snapshot.ts'
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
