// The public entry point: sluice/duckdb. / <reference types="node" preserve="true" /> / <reference lib="es2024.promise"
// preserve="true" />

import '../../base/check-node.ts'

export type { SqlRanges } from '../kits/sql/ranges.ts'
export { type DuckdbSinkOptions, duckdbSink } from './sink.ts'
export { type DuckdbSourceOptions, duckdbSource } from './source.ts'
