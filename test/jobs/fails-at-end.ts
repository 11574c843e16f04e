// A reduction that fails at its last event, in one of four stages; and one that does not.

import { flow } from 'sluice'
import { range } from 'sluice/stage'

const parts = flow(range(0, 1000)).partition({ stages: 4, hash: (n) => n % 4 })

export const good = parts.reduce(
  () => 0,
  (sum, n) => sum + n,
)

export default parts.reduce(
  () => 0,
  (sum, n) => {
    if (n === 999) throw new Error('the last one is bad')
    return sum + n
  },
)
