// What looking on costs a load: five followers of its dashboard in another process, against no dashboard at all.

import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDashboard, startPipeline, watchedRun } from 'sluice'
import accessLog from '../examples/access-log.ts'

const FOLLOWERS = 5
const FOLLOW = `
const { get } = require('node:http')
let told = 0
for (let at = 0; at < ${FOLLOWERS}; at += 1) {
  get({ port: process.argv[1], path: '/api/events', agent: false }, (events) => {
    events.resume().once('data', () => { if (++told === ${FOLLOWERS}) console.log('all follow') })
  })
}`

/** Loads in turns, and prints the medians of their time and of this process's own work, in milliseconds. */
export async function benchDashboard(isQuick: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-dashboard-'))
  const input = join(folder, 'web.log')
  const lines = readFileSync(new URL('../examples/data/web.log', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
  const count = isQuick ? 50_000 : 600_000
  writeFileSync(input, Array.from({ length: count }, (_, at) => `${lines[at % lines.length]}\n`).join(''))
  const times = { alone: [] as number[], followed: [] as number[] }
  const work = { alone: [] as number[], followed: [] as number[] }
  for (let round = 0; round < (isQuick ? 3 : 11); round += 1) {
    for (const mode of round % 2 === 0 ? (['alone', 'followed'] as const) : (['followed', 'alone'] as const)) {
      const db = join(folder, `${mode}-${round}.db`)
      const { ms, workMs } = await load(new Map(Object.entries({ input, db })), mode === 'followed')
      for (const end of ['', '-wal', '-shm']) rmSync(`${db}${end}`, { force: true })
      // The first of each is for the engine to warm up.
      if (round === 0) continue
      times[mode].push(ms)
      work[mode].push(workMs)
    }
  }
  rmSync(folder, { recursive: true })
  console.log(`\ndashboard: ${count} lines, ${FOLLOWERS} followers against none, medians in ms`)
  for (const [name, { alone, followed }] of Object.entries({ time: times, work })) {
    const [before, after] = [median(alone), median(followed)]
    const change = `${after >= before ? '+' : ''}${((after / before - 1) * 100).toFixed(1)} %`
    console.log(`  ${name.padEnd(5)} ${before.toFixed(0).padStart(6)} ${after.toFixed(0).padStart(6)}  ${change}`)
  }
}

async function load(
  params: ReadonlyMap<string, string>,
  isFollowed: boolean,
): Promise<{ readonly ms: number; readonly workMs: number }> {
  const dashboard = isFollowed ? await startDashboard() : undefined
  const followers = dashboard === undefined ? undefined : await follow(dashboard.url)
  const workBefore = process.cpuUsage()
  const startMs = performance.now()
  const run = await startPipeline(accessLog, { params })
  dashboard?.watch(watchedRun(run, accessLog, params))
  await run.done
  const ms = performance.now() - startMs
  const { user, system } = process.cpuUsage(workBefore)
  followers?.kill()
  await dashboard?.close()
  return { ms, workMs: (user + system) / 1000 }
}

async function follow(url: string): Promise<ReturnType<typeof spawn>> {
  const child = spawn(process.execPath, ['-e', FOLLOW, new URL(url).port], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  return child
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
