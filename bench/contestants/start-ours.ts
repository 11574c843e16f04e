// Loads the package, and takes the first event of a flow.

import { report } from './measure.ts'

const before = performance.now()
const { flow, stream } = await import('sluice')
for await (const event of stream(flow([1, 2, 3]))) {
  report((performance.now() - before) / 1000, `first=${event}`)
  break
}
