import { equal, rejects } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { PIPELINE_LAYOUT } from '../../pipeline/load.ts'
import { tempFolder } from '../../testing/temp-folder.ts'
import { layOutFor, sha256Of } from '../plan/laid-out.ts'
import type { SentJob } from '../plan/task.ts'
import { FoundJobs } from './found-job.ts'

const SLUICE = new URL('../../index.ts', import.meta.url).href

describe('the job of a worker', () => {
  const folder = tempFolder('sluice-found-')
  const path = join(folder, 'job.ts')
  const module = pathToFileURL(path).href
  writeFileSync(
    path,
    `import { pipeline, sqliteSink, valuesSource } from ${JSON.stringify(SLUICE)}
export default pipeline('found', { from: () => valuesSource([1]), into: () => sqliteSink('never.db', { table: 't' }) })
`,
  )

  async function sent(): Promise<SentJob> {
    const params = new Map<string, string>()
    const { fingerprint } = await layOutFor({ module, name: 'default', params, laidOutBy: PIPELINE_LAYOUT }, 8)
    const moduleSha256 = await sha256Of(module)
    return { module, name: 'default', params: {}, moduleSha256, fingerprint, shards: 8, owner: 'me' }
  }

  it('is the one that was submitted, wherever it is found again', async () => {
    const { pipeline, stages } = await new FoundJobs(folder).find(await sent())
    equal(pipeline.name, 'found')
    equal(stages.length, 1)
  })

  it('is refused if its text differs, or its plan', async () => {
    const jobs = new FoundJobs(folder)
    const job = await sent()
    await rejects(jobs.find({ ...job, moduleSha256: 'another' }), {
      code: 'FLOW_MISMATCH',
      message: /its text differs/,
    })
    await rejects(jobs.find({ ...job, fingerprint: 'another' }), {
      code: 'FLOW_MISMATCH',
      message: /was submitted as another; see that what it imports/,
    })
  })

  it('is refused if it is not there, or not below the root', async () => {
    const job = await sent()
    const gone = pathToFileURL(join(folder, 'gone.ts')).href
    await rejects(new FoundJobs(folder).find({ ...job, module: gone }), {
      message: /there is no such file on the host/,
    })
    for (const root of [join(folder, 'inner'), `${folder}-other`]) {
      await rejects(new FoundJobs(root).find(job), { message: /runs modules below .*; start it with another --root/ })
    }
  })
})
