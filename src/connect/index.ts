// The entry point for authors of connectors: sluice/connect.
/// <reference types="node" preserve="true" />
/// <reference lib="es2024.promise" preserve="true" />

import '../base/check-node.ts'

export {
  type Batch,
  batchOf,
  deadLetterAt,
  type Origins,
  type ReadBatch,
  type RejectedRecord,
  readOf,
} from './batch.ts'
export type { Columns, ColumnType } from './column.ts'
export { type LineFormat, type ParseLine, Rejection } from './format.ts'
export { type BrokerAddress, brokerAddress } from './kits/broker/address.ts'
export { type Body, bodies, bodyReader, type ToEvent } from './kits/broker/body.ts'
export {
  type Connecting,
  connectReader,
  type LiveConnection,
  type LiveServer,
  listenReader,
} from './kits/broker/connect-reader.ts'
export { type Deduplicator, IdDedup, NoDedup, SequenceDedup } from './kits/broker/deduplicator.ts'
export type { MessageOptions, Outgoing } from './kits/broker/message.ts'
export type { Publisher, PublishOptions } from './kits/broker/publish-writer.ts'
export { livePosition, namedPosition, PushReader, type PushReaderOptions } from './kits/broker/push-reader.ts'
export { type BrokerSink, brokerSink } from './kits/broker/sink.ts'
export { type ConnectedOpening, type LiveSource, liveSource } from './kits/broker/source.ts'
export { optionInvalid } from './kits/config.ts'
export { createFile, finishFile, makeFolder, removeFile, renameFile, syncFolder, writeAll } from './kits/files/disk.ts'
export { Address, type HeaderSource } from './kits/http/address.ts'
export { Pacer } from './kits/http/pacer.ts'
export { type Answer as HttpAnswer, type RequestOptions, request } from './kits/http/request.ts'
export { loadPackage } from './kits/package.ts'
export { foldName, quoteName } from './kits/sql/name.ts'
export { faultOfRow } from './kits/sql/row.ts'
export { FOLDED, type Shape, type ShapeColumn, type ShapeRules } from './kits/sql/shape.ts'
export { type AboutSink, sqlSink } from './kits/sql/sink.ts'
export { checkTables, type TableOptions as SqlTableOptions } from './kits/sql/sink-options.ts'
export { storable } from './kits/sql/storable.ts'
export {
  adaptTable,
  ensureTable,
  FITS,
  type FoundColumn,
  type FoundTable,
  type Table,
  type TableColumn,
  type Tables,
} from './kits/sql/table.ts'
export { type Upsert, upsert } from './kits/sql/upsert.ts'
export type { RowTable, SqlDatabase } from './kits/store/database.ts'
export type { SqlDialect } from './kits/store/dialect.ts'
export { SqlInspector } from './kits/store/inspector.ts'
export {
  type Answer as SqlAnswer,
  all,
  run,
  runAsync,
  runSync,
  type SqlRow,
  type SqlValue,
  type Statement,
  type Work,
} from './kits/store/work.ts'
export { SqlWriter, type SqlWriterOptions } from './kits/store/writer.ts'
export { type DeadLetter, deadLetter, type Origin, type SourceRecord, type Tracked, tracked } from './origin.ts'
export { identified, identityAt, type RowIdentity } from './row-identity.ts'
export type { Shard } from './shard.ts'
export type {
  BatchSize,
  Checkpoint,
  CheckpointSummary,
  Guarantee,
  ListedSplit,
  ShardSummary,
  Sink,
  SinkInspector,
  SinkOptions,
  SinkWriter,
  StoredDeadLetter,
  Totals,
  TwoPhaseSink,
  TwoPhaseSinkOptions,
  TwoPhaseWriter,
} from './sink.ts'
export type {
  Json,
  OpenOptions,
  Position,
  ResumedSplit,
  SharedNames,
  Source,
  SourceCounts,
  Split,
  SplitReader,
} from './source.ts'
