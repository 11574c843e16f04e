// How long does an event wait from its arrival to its commit, at 5,000 events a second?

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { benchFile } from './contest.ts'
import { FOLDER } from './data.ts'

export function benchLatency({ quick }: { readonly quick: boolean }): void {
  console.log('\nFrom arrival to commit in SQLite, at 5,000 events a second, in milliseconds')
  const rows = ['1000', '50'].map((epochMs) => {
    const argv = [benchFile('contestants/latency.ts'), join(FOLDER, 'latency.db'), epochMs, '5000', quick ? '3' : '20']
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--conditions=sluice-source', ...argv], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stderr)
    return { epochMs: Number(epochMs), ...(JSON.parse(stdout) as Record<string, number>) }
  })
  console.table(rows)
}
