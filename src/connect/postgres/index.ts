// The door for users: sluice/postgres.
/// <reference types="node" preserve="true" />
/// <reference lib="es2024.promise" preserve="true" />

import '../../base/check-node.ts'

export type { PostgresConnection } from './connection.ts'
export { type PostgresOptions, postgres } from './sink.ts'
export { type PostgresQueryOptions, postgresQuery } from './source.ts'
