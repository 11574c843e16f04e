// The door for users: sluice/nats.
/// <reference types="node" preserve="true" />
/// <reference lib="es2024.promise" preserve="true" />

import '../../base/check-node.ts'

export { type NatsSinkOptions, natsSink } from './sink.ts'
export { type NatsMeta, type NatsSourceOptions, natsSource } from './source.ts'
