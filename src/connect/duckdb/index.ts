// The door for users: sluice/duckdb.
/// <reference types="node" preserve="true" />
/// <reference lib="es2024.promise" preserve="true" />

import '../../base/check-node.ts'

export { type DuckdbOptions, duckdb } from './sink.ts'
export { type DuckdbQueryOptions, duckdbQuery } from './source.ts'
