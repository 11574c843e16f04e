// The door for users: sluice/kafka.
/// <reference types="node" preserve="true" />
/// <reference lib="es2024.promise" preserve="true" />

import '../../base/check-node.ts'

export { type KafkaCompression, type KafkaSinkOptions, kafkaSink } from './sink.ts'
export { type KafkaMeta, type KafkaSasl, type KafkaSourceOptions, kafkaSource } from './source.ts'
