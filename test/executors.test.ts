import { inline } from '../src/engine/executors/inline.ts'
import { onThreads } from '../src/engine/executors/threads.ts'
import { executorConformance } from '../src/testing/conformance/executor.ts'
import { islands } from './support/islands.ts'

const limits = { maxBatchMs: 60_000, heapMb: undefined }

executorConformance({ name: 'inline', make: () => inline })
executorConformance({ name: 'threads', make: () => onThreads(2, limits) })
executorConformance({ name: 'one island for each of three stages', make: () => islands(3, 7) })
