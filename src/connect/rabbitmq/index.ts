// The door for users: sluice/rabbitmq.
/// <reference types="node" preserve="true" />
/// <reference lib="es2024.promise" preserve="true" />

import '../../base/check-node.ts'

export { type RabbitmqSinkOptions, rabbitmqSink } from './sink.ts'
export { type RabbitmqMeta, type RabbitmqSourceOptions, rabbitmqSource } from './source.ts'
