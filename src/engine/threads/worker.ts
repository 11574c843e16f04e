// The entry of a worker that runs its share of a flow.

import { layOut } from '../../flow/layout.ts'
import { loadJob } from './job.ts'
import { workOn } from './work.ts'

await workOn(async (job, stages) => layOut(await loadJob(job), { stages }))
