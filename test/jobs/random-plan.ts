// A flow that is told in the module's own URL: the same in every thread.

import type { Flow } from '../../src/flow/flow.ts'
import { builtOf, type RandomPlan } from '../support/naive-flow.ts'

const plan = JSON.parse(new URL(import.meta.url).searchParams.get('plan') ?? '') as RandomPlan

const told: Flow<unknown, never> = builtOf(plan).flow
export default told
