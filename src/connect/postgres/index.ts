// The public entry point: sluice/postgres. / <reference types="node" preserve="true" /> / <reference
// lib="es2024.promise" preserve="true" />

import '../../base/check-node.ts'

export type { SqlRanges } from '../kits/sql/ranges.ts'
export type { PostgresConnection } from './connection.ts'
export { type PostgresSinkOptions, postgresSink } from './sink.ts'
export { type PostgresSourceOptions, postgresSource } from './source.ts'
