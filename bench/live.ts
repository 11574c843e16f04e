// How many messages a second does each live source take, as fast as a server on the same machine sends them?

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { benchFile } from './contest.ts'
import { FOLDER } from './data.ts'

const SOURCES = ['sseSource', 'webSocketSource', 'syslog']

export function benchLive({ quick }: { readonly quick: boolean }): void {
  console.log('\nMessages of 100 bytes from a server of this machine into SQLite, a second')
  const rows = SOURCES.map((source) => {
    const argv = [
      benchFile('contestants/live-source.ts'),
      source,
      join(FOLDER, 'live.db'),
      quick ? '200000' : '1000000',
    ]
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--conditions=sluice-source', ...argv], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stderr)
    return { source, ...(JSON.parse(stdout) as Record<string, number>) }
  })
  console.table(rows)
}
