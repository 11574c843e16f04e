// Names on the wire: of calls, and of what they are about.

const FN = '/org.apache.beam.model.fn_execution.v1'
const JOB = '/org.apache.beam.model.job_management.v1'

/** Calls that a worker makes. */
export const CONTROL: string = `${FN}.BeamFnControl/Control`
export const DESCRIPTOR: string = `${FN}.BeamFnControl/GetProcessBundleDescriptor`
export const DATA: string = `${FN}.BeamFnData/Data`
export const LOGGING: string = `${FN}.BeamFnLogging/Logging`

/** Calls that a pool of workers answers. */
export const START_WORKER: string = `${FN}.BeamFnExternalWorkerPool/StartWorker`
export const STOP_WORKER: string = `${FN}.BeamFnExternalWorkerPool/StopWorker`

/** Calls that a submitter makes. */
export const PREPARE: string = `${JOB}.JobService/Prepare`
export const RUN: string = `${JOB}.JobService/Run`
export const MESSAGES: string = `${JOB}.JobService/GetMessageStream`
export const METRICS: string = `${JOB}.JobService/GetJobMetrics`
export const CANCEL: string = `${JOB}.JobService/Cancel`
export const STAGING: string = `${JOB}.ArtifactStagingService/ReverseArtifactRetrievalService`

export const URN = {
  impulse: 'beam:transform:impulse:v1',
  flatten: 'beam:transform:flatten:v1',
  groupByKey: 'beam:transform:group_by_key:v1',
  parDo: 'beam:transform:pardo:v1',
  source: 'beam:runner:source:v1',
  sink: 'beam:runner:sink:v1',
  globalWindows: 'beam:window_fn:global_windows:v1',
  external: 'beam:env:external:v1',
  /** Sluice's own: what a worker does. */
  task: 'sluice:task:v1',
} as const

export const CODER = {
  bytes: 'beam:coder:bytes:v1',
  text: 'beam:coder:string_utf8:v1',
  boolean: 'beam:coder:bool:v1',
  varint: 'beam:coder:varint:v1',
  double: 'beam:coder:double:v1',
  kv: 'beam:coder:kv:v1',
  iterable: 'beam:coder:iterable:v1',
  lengthPrefix: 'beam:coder:length_prefix:v1',
  globalWindow: 'beam:coder:global_window:v1',
  intervalWindow: 'beam:coder:interval_window:v1',
  windowed: 'beam:coder:windowed_value:v1',
} as const

/** What an engine may ask of a worker. */
export const CAPABILITIES: readonly string[] = [
  ...Object.values(CODER),
  'beam:protocol:progress_reporting:v1',
  'beam:protocol:monitoring_info_short_ids:v1',
]
