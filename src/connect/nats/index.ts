// The door for users: sluice/nats.
/// <reference types="node" preserve="true" />
/// <reference lib="es2024.promise" preserve="true" />

import '../../base/check-node.ts'

export { type NatsPublishOptions, natsPublish } from './sink.ts'
export { type NatsMeta, type NatsOptions, nats } from './source.ts'
