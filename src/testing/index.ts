// The door for users: sluice/testing.
/// <reference types="node" preserve="true" />
/// <reference lib="es2024.promise" preserve="true" />

import '../base/check-node.ts'

export { type DispatcherSubject, dispatcherConformance } from './conformance/dispatcher.ts'
export { type LiveSample, type LiveSourceSubject, liveSourceConformance } from './conformance/live-source.ts'
export type { SeenRow, SinkPlace, SinkSubject } from './conformance/sink/subject.ts'
export { sinkConformance } from './conformance/sink.ts'
export {
  type SourceSample,
  type SourceSubject,
  sourceConformance,
  type WaitingSample,
} from './conformance/source.ts'
export {
  type TwoPhaseSinkPlace,
  type TwoPhaseSinkSubject,
  twoPhaseSinkConformance,
} from './conformance/two-phase-sink.ts'
export { atRest, ManualClock } from './manual-clock.ts'
export { oneAtATime } from './one-at-a-time.ts'
export type { Given } from './pipeline/given.ts'
export {
  type Moment,
  type TestedPipeline,
  type TestedSink,
  type TestPipelineOptions,
  testPipeline,
} from './pipeline/test-pipeline.ts'
export { type Line, Probe, type ProbeOptions, REST, type Received, Scripted, type ScriptedOptions } from './probe.ts'
export { seededRandom } from './random.ts'
export { RandomScheduler, type RandomSchedulerOptions } from './random-scheduler.ts'
