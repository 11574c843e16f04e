// The door for users: sluice/mqtt.
/// <reference types="node" preserve="true" />
/// <reference lib="es2024.promise" preserve="true" />

import '../../base/check-node.ts'

export { type MqttSinkOptions, mqttSink } from './sink.ts'
export { type MqttMeta, type MqttSourceOptions, mqttSource } from './source.ts'
