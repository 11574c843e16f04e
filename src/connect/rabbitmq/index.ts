// The door for users: sluice/rabbitmq.
/// <reference types="node" preserve="true" />
/// <reference lib="es2024.promise" preserve="true" />

import '../../base/check-node.ts'

export { type RabbitmqPublishOptions, rabbitmqPublish } from './sink.ts'
export { type RabbitmqMeta, type RabbitmqOptions, rabbitmq } from './source.ts'
