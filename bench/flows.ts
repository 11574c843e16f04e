// How fast are flows, in one thread and on two, beside programs written by hand for the same work?

import { existsSync } from 'node:fs'
import { benchFile, type Contestant, hold } from './contest.ts'
import { SHARED } from './data.ts'
import { type Effort, runsOf, scalesOf } from './effort.ts'
import { elixir, type Rivals } from './rivals.ts'
import type { Target } from './target.ts'
import { DUCKDB, TIGHT, WORKS } from './works.ts'

/** How a question is asked: the module, and what is wanted of it beside the tight program, by threads. */
interface Form {
  readonly name: string
  readonly module: string
  readonly targets: Readonly<Record<number, readonly Target[]>>
}

const timeOf = (atMost: number): Target => ({ kind: 'time', atMost, than: TIGHT, as: 'tight' })
const faster = (form: string): Target => ({ kind: 'speed', atLeast: 1.7, than: `${form}, 1 thread`, as: '1 thread' })
const peak: Target = { kind: 'peak', atMostMB: 200 }

const NAMES: Form = {
  name: 'Sluice, names',
  module: './flow-names.ts',
  targets: {
    2: [timeOf(0.8), { kind: 'speed', atLeast: 1, than: DUCKDB, as: 'DuckDB' }, faster('Sluice, names'), peak],
    0: [timeOf(1.5), peak],
  },
}
const RECORDS: Form = {
  name: 'Sluice, functions of typed records',
  module: './flow-records.ts',
  targets: { 2: [timeOf(1.3), faster('Sluice, functions of typed records'), peak] },
}
const LINES: Form = { name: 'Sluice, functions of lines', module: './flow-lines.ts', targets: {} }
/** A line is the record that words are counted in. */
const LINES_AS_RECORDS: Form = {
  ...LINES,
  targets: { 2: [timeOf(1.3), faster('Sluice, functions of lines'), peak] },
}

export function benchFlows(works: readonly string[], effort: Effort): void {
  if (!existsSync(SHARED)) {
    console.log('The reference programs and generators are not beside the project (../shared/bench): left out')
    return
  }
  for (const work of works) for (const scale of scalesOf(effort)) benchWork(work, scale, effort)
}

function benchWork(name: string, scale: number, effort: Effort): void {
  const work = WORKS[name]
  if (work === undefined) return
  const { title, input, amount, hasRecords, rivals } = work
  const file = input(scale)
  const events = Math.round(amount * scale)
  const { contestants, published } = rivals(file, scale)
  const forms = hasRecords ? [NAMES, RECORDS, LINES] : [NAMES, LINES_AS_RECORDS]
  hold({
    title: title(scale),
    unit: 'events/s',
    amount: events,
    base: { name: TIGHT, as: 'tight' },
    runs: runsOf(effort),
    published,
    contestants: [
      ...forms.flatMap((form) => [2, 1, 0].map((threads) => ours(form, name, file, threads, events))),
      ...contestants,
    ],
  })
}

export function benchExchange(effort: Effort): void {
  for (const scale of scalesOf(effort)) {
    const events = 5_000_000 * scale
    const flow = elixir("Elixir's Flow", ['flow_sum.exs', `${events}`, 'partition'], 0.71 * scale)
    const title = `range, map, partition, reduce: ${events / 1e6} M numbers`
    exchange(title, events, effort, [exchanging('Sluice', 'range')], flow)
    exchange(`An exchange of ${events / 1e6} M objects of 7 fields`, events, effort, [
      exchanging('Sluice, functions', 'objects', { 2: [{ kind: 'rate', atLeast: 5e6 }] }),
      exchanging('Sluice, names', 'named', { 2: [{ kind: 'rate', atLeast: 12e6 }] }),
    ])
  }
  exchange('An empty flow', 1, effort, [exchanging('Sluice', 'empty', { 2: [{ kind: 'seconds', atMost: 0.12 }] })])
}

/** From the package as it is built to the first event that a flow gives. */
export function benchStart(effort: Effort): void {
  const argv = [benchFile('contestants/start-ours.ts')]
  const targets: readonly Target[] = [{ kind: 'seconds', atMost: 0.1 }]
  hold({
    title: 'Import and first event',
    unit: 'starts/s',
    amount: 1,
    base: { name: 'Sluice', as: 'ours' },
    runs: runsOf(effort),
    contestants: [{ name: 'Sluice', argv, isBuilt: true, targets }],
  })
}

interface Exchange extends Form {
  readonly flow: string
}

function exchanging(name: string, flow: string, targets: Form['targets'] = {}): Exchange {
  return { name, module: './flow-exchange.ts', flow, targets }
}

function exchange(
  title: string,
  events: number,
  effort: Effort,
  forms: readonly Exchange[],
  rivals: Rivals = { contestants: [], published: [] },
): void {
  const own = forms.flatMap((form) => [2, 0].map((threads) => ours(form, form.flow, '', threads, events)))
  const base = { name: own[1]?.name ?? '', as: 'no worker' }
  const contestants = [...own, ...rivals.contestants]
  const unit = events === 1 ? 'runs/s' : 'events/s'
  hold({ title, unit, amount: events, runs: runsOf(effort), base, published: rivals.published, contestants })
}

/** Threads 0: no worker. */
function ours(form: Form, name: string, input: string, threads: number, events: number): Contestant {
  const where = threads === 0 ? 'no worker' : threads === 1 ? '1 thread' : `${threads} threads`
  const targets = form.targets[threads]
  return {
    name: `${form.name}, ${where}`,
    argv: [benchFile('contestants/flow-ours.ts'), form.module, name, input, `${threads}`, `${events}`],
    isBuilt: true,
    ...(targets === undefined ? {} : { targets }),
  }
}
