// Runs a pipeline with a short lease, and says of each commit: a process for tests to stop. Arguments: module, parameters as JSON.

import { pathToFileURL } from 'node:url'
import { isSluiceError, startPipeline } from 'sluice'

const [module = '', params = '{}'] = process.argv.slice(2)
const { default: job } = await import(pathToFileURL(module).href)
try {
  const run = await startPipeline(job, {
    params: new Map(Object.entries(JSON.parse(params))),
    leaseMs: 500,
    epochEvents: 500,
    onEvent: ({ kind }) => {
      if (kind === 'committed') process.stdout.write('committed\n')
    },
  })
  await run.done
  process.stdout.write('done\n')
} catch (error) {
  process.stdout.write(`${isSluiceError(error) ? error.code : 'BUG'}: ${(error as Error).message}\n`)
}
