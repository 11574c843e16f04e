// The door for users: sluice/websocket.
/// <reference types="node" preserve="true" />
/// <reference lib="es2024.promise" preserve="true" />

import '../../base/check-node.ts'

export { type WebSocketMeta, type WebSocketSourceOptions, webSocketSource } from './source.ts'
