// The door for users: sluice/beam.
/// <reference types="node" preserve="true" />
/// <reference lib="es2024.promise" preserve="true" />

import '../base/check-node.ts'

export { type BeamOptions, beam, type Engine } from './submit/engine.ts'
export type { EngineReport } from './submit/report.ts'
export { type RunOnOptions, run } from './submit/run.ts'
