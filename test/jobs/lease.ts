// Loads windows with a short lease, and says of each commit: a process for tests to stop. Arguments: input, database.

import { isSluiceError, startPipeline } from 'sluice'
import job from './windows.ts'

const [input = '', db = ''] = process.argv.slice(2)
try {
  const run = await startPipeline(job, {
    params: new Map(Object.entries({ input, db })),
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
