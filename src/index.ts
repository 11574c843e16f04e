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
export type { Columns, ColumnType } from './connect/column.ts'
export { type CsvLineOptions, csvLine } from './connect/csv/write.ts'
export { type LineFormat, type ParseLine, Rejection } from './connect/format.ts'
export { type AccessRequest, accessLog, type FormattedRequest } from './connect/formats/access-log.ts'
export { form } from './connect/formats/form.ts'
export { type JsonOptions, json } from './connect/formats/json.ts'
export {
  type SyslogData,
  type SyslogLineOptions,
  type SyslogMessage,
  syslogLine,
} from './connect/formats/syslog-line.ts'
export { textLines } from './connect/formats/text.ts'
export type { HeaderSource } from './connect/http/address.ts'
export type { NamedTexts } from './connect/named-texts.ts'
export type { DeadLetter, Entry, Origin, Traced } from './connect/origin.ts'
export type { PostgresConnection } from './connect/postgres/connection.ts'
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
export { type CheckpointedOptions, checkpointed } from './connect/sinks/checkpointed.ts'
export { type CsvFilesOptions, csvFiles } from './connect/sinks/csv-files.ts'
export { type DuckdbOptions, duckdb } from './connect/sinks/duckdb.ts'
export { type HttpOptions, http } from './connect/sinks/http.ts'
export type { RowIdentity } from './connect/sinks/identity.ts'
export { type KafkaCompression, type KafkaPublishOptions, kafkaPublish } from './connect/sinks/kafka-publish.ts'
export { type MqttPublishOptions, mqttPublish } from './connect/sinks/mqtt-publish.ts'
export { type NatsPublishOptions, natsPublish } from './connect/sinks/nats-publish.ts'
export { type NdjsonFilesOptions, ndjsonFiles } from './connect/sinks/ndjson-files.ts'
export { type ParquetFilesOptions, parquetFiles } from './connect/sinks/parquet-files.ts'
export { type PostgresOptions, postgres } from './connect/sinks/postgres.ts'
export { type RabbitmqPublishOptions, rabbitmqPublish } from './connect/sinks/rabbitmq-publish.ts'
export { type RedisStreamAddOptions, redisStreamAdd } from './connect/sinks/redis-stream-add.ts'
export { type Branch, type SeveralOptions, several } from './connect/sinks/several.ts'
export { type SqliteOptions, sqlite } from './connect/sinks/sqlite.ts'
export { type LineOf, type StdoutOptions, stdout } from './connect/sinks/stdout.ts'
export {
  type RefusedRows,
  type RowsContext,
  type TakeRows,
  type ToFunctionOptions,
  toFunction,
} from './connect/sinks/to-function.ts'
export type { Position, Source, SourceCounts, Split, SplitReader } from './connect/source.ts'
export { type CsvOptions, type CsvRow, csv } from './connect/sources/csv.ts'
export { type DuckdbQueryOptions, duckdbQuery } from './connect/sources/duckdb-query.ts'
export { type FilesOptions, files } from './connect/sources/files.ts'
export { type HttpPage, type HttpPagesOptions, httpPages } from './connect/sources/http-pages.ts'
export { type JsonArrayOptions, jsonArray } from './connect/sources/json-array.ts'
export { type KafkaMeta, type KafkaOptions, type KafkaSasl, kafka } from './connect/sources/kafka.ts'
export { lines } from './connect/sources/lines.ts'
export { type MqttMeta, type MqttOptions, mqtt } from './connect/sources/mqtt.ts'
export { type NatsMeta, type NatsOptions, nats } from './connect/sources/nats.ts'
export { type NdjsonOptions, ndjson } from './connect/sources/ndjson.ts'
export { type ParquetOptions, parquet } from './connect/sources/parquet.ts'
export { type PostgresQueryOptions, postgresQuery } from './connect/sources/postgres-query.ts'
export { type RabbitmqMeta, type RabbitmqOptions, rabbitmq } from './connect/sources/rabbitmq.ts'
export { type RedisStreamMeta, type RedisStreamOptions, redisStream } from './connect/sources/redis-stream.ts'
export {
  type ServerEventMeta,
  type ServerSentEventsOptions,
  serverSentEvents,
} from './connect/sources/server-sent-events.ts'
export { type SqliteQueryOptions, sqliteQuery } from './connect/sources/sqlite-query.ts'
export {
  type SyslogListen,
  type SyslogMeta,
  type SyslogOptions,
  type SyslogPorts,
  syslog,
} from './connect/sources/syslog.ts'
export { type TailOptions, tail } from './connect/sources/tail.ts'
export { type Tick, type TicksOptions, ticks } from './connect/sources/ticks.ts'
export { type ValuesInput, values } from './connect/sources/values.ts'
export { type WebSocketMeta, type WebSocketOptions, webSocket } from './connect/sources/web-socket.ts'
export { type WebhookMeta, type WebhookOptions, type WebhookSignature, webhook } from './connect/sources/webhook.ts'
export type { SchemaMode } from './connect/sql/evolve.ts'
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
