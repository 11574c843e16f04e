// How fast are flows, in one thread and on two, beside programs written by hand for the same work?

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { benchFile, type Contestant, hold, type Published } from './contest.ts'

const FOLDER = benchFile('../.bench')
const SHARED = benchFile('../../shared/bench')

interface Work {
  readonly title: string
  readonly generator: string
  readonly file: string
  readonly amount: number
  readonly tight: string
  /** Elixir's Flow: its plain idiom, and its best hand-tuned one, on another machine of two cores. */
  readonly flow: readonly [plain: number, tuned: number]
}

const WORKS: Readonly<Record<string, Work>> = {
  wordcount: {
    title: 'Word count, 100 MB',
    generator: 'gen-words',
    file: 'words.txt',
    amount: 13_466_290,
    tight: 'tight-wordcount',
    flow: [8.61, 2.71],
  },
  accesslog: {
    title: 'Access log, 1 M lines: requests and bytes by status and path',
    generator: 'gen-accesslog',
    file: 'access.log',
    amount: 1_000_000,
    tight: 'tight-accesslog',
    flow: [4.94, 2.05],
  },
  brc: {
    title: 'Least, mean, greatest of 10 M rows',
    generator: 'gen-brc',
    file: 'brc.txt',
    amount: 10_000_000,
    tight: 'tight-brc',
    flow: [17.1, 2.64],
  },
  windows: {
    title: 'One-minute windows, 2 M readings',
    generator: 'gen-sensors',
    file: 'sensors.csv',
    amount: 2_000_000,
    tight: 'tight-windows',
    flow: [3.58, 3.58],
  },
}

const RUNS = 3

export function benchFlows(isQuick: boolean): void {
  if (!existsSync(SHARED)) {
    console.log('The reference programs and generators are not beside the project (../shared/bench): left out')
    return
  }
  for (const [name, { title, generator, file, amount, tight, flow }] of Object.entries(WORKS)) {
    const input = dataOf(generator, file)
    const published: Published[] = [
      { name: "Elixir's Flow, plain", seconds: flow[0], from: 'published' },
      { name: "Elixir's Flow, tuned by hand", seconds: flow[1], from: 'published' },
    ]
    hold({
      title,
      unit: 'events/s',
      amount,
      runs: isQuick ? 1 : RUNS,
      published,
      contestants: [
        { name: 'Sluice, 2 threads', argv: ours(name, input, 2), isBuilt: true, isOurs: true },
        { name: 'Sluice, 1 worker thread', argv: ours(name, input, 1), isBuilt: true },
        { name: 'Sluice, no worker', argv: ours(name, input, 0), isBuilt: true },
        { name: 'tight Node, 1 thread, bytes', argv: [join(SHARED, 'limits/node', `${tight}.mjs`), input] },
        { name: 'naive Node', argv: [join(SHARED, 'limits/node/naive.mjs'), name, input] },
      ],
    })
  }
}

export function benchExchange(isQuick: boolean): void {
  const runs = isQuick ? 1 : RUNS
  const events = isQuick ? 500_000 : 5_000_000
  const variants = (name: string): Contestant[] => [
    { name: 'Sluice, no worker', argv: ours(name, '', 0, events), isBuilt: true, isOurs: true },
    { name: 'Sluice, 2 threads', argv: ours(name, '', 2, events), isBuilt: true },
  ]
  const published = isQuick ? [] : [{ name: "Elixir's Flow", seconds: 0.71, from: 'published' }]
  hold({
    title: 'range, map, partition, reduce',
    unit: 'events/s',
    amount: events,
    runs,
    published,
    contestants: variants('range'),
  })
  hold({
    title: 'An exchange of objects of 7 fields',
    unit: 'events/s',
    amount: events,
    runs,
    contestants: variants('objects'),
  })
  hold({ title: 'An empty flow', unit: 'runs/s', amount: 1, runs, contestants: variants('empty') })
}

function ours(name: string, input: string, threads: number, events = 1): string[] {
  return [benchFile('contestants/flow-ours.ts'), name, input, `${threads}`, `${events}`]
}

/** A file of the reference generators, made once. */
function dataOf(generator: string, file: string): string {
  mkdirSync(FOLDER, { recursive: true })
  const path = join(FOLDER, file)
  if (!existsSync(path)) {
    spawnSync(process.execPath, [join(SHARED, 'data-gen', `${generator}.mjs`), '--out', path], { stdio: 'ignore' })
  }
  return path
}
