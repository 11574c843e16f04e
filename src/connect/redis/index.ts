// The door for users: sluice/redis.
/// <reference types="node" preserve="true" />
/// <reference lib="es2024.promise" preserve="true" />

import '../../base/check-node.ts'

export { type RedisStreamSinkOptions, redisStreamSink } from './sink.ts'
export { type RedisStreamMeta, type RedisStreamSourceOptions, redisStreamSource } from './source.ts'
