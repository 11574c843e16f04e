// The door for users: sluice/stage.
/// <reference types="node" preserve="true" />
/// <reference lib="es2024.promise" preserve="true" />

import '../base/check-node.ts'

export type { Chunk } from './chunk.ts'
export { type ConnectOptions, connect } from './connect.ts'
export { type DemandWindow, demandPlan, demandWindow } from './demand.ts'
export type { Deliver, Dispatcher, DispatcherSpec } from './dispatcher.ts'
export { type BroadcastOptions, broadcast } from './dispatchers/broadcast.ts'
export { type DemandOptions, demand } from './dispatchers/demand.ts'
export { fair } from './dispatchers/fair.ts'
export { DROP, type PartitionOptions, type PartitionSpec, partition } from './dispatchers/partition.ts'
export { type PriorityOptions, priority } from './dispatchers/priority.ts'
export type { Resumable } from './drawing.ts'
export { type FromOptions, from, type Pullable } from './from.ts'
export { type Group, type GroupOptions, group, type Member, type RestartStrategy } from './group.ts'
export type { ConsumerSpec, ProducerConsumerSpec, ProducerSpec } from './hooks.ts'
export type { CancelMode, SubscribeOptions, Subscription } from './link.ts'
export { consumer, producer, producerConsumer, range } from './make.ts'
export type { Ending } from './message.ts'
export type { WhenFull } from './out-buffer.ts'
export type { Run } from './run.ts'
export type { Consumer, Producer, ProducerConsumer, Stage, StageStats } from './stage.ts'
export { subscribe } from './subscribe.ts'
export { type TaskContext, type TasksSpec, tasks } from './tasks.ts'
export { into, toBatches, toIterable, toReadable, toWebStream } from './to.ts'
