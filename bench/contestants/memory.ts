// Holds as much as one operator or source may by default, and tells the most memory that the process took: the case's name.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  collectAll,
  count,
  countDistinct,
  csvSource,
  type Flow,
  flow,
  lines,
  max,
  mean,
  ndjsonSource,
  pipeline,
  quantile,
  run,
  session,
  sqliteSink,
  startPipeline,
  sum,
  topK,
  tumbling,
} from 'sluice'

interface Event {
  readonly key: string
  readonly n: number
}

const MILLION = 1_000_000

function* events(keys: number, each = 1): Generator<Event> {
  for (let n = 0; n < keys * each; n += 1) yield { key: `key ${n % keys}`, n }
}
const million = (): Flow<Event, unknown> => flow(events(MILLION))
const byKey = ({ key }: Event): string => key
const nOf = ({ n }: Event): number => n

/** What each case holds at its end, all of it at once. */
const FLOWS: Readonly<Record<string, () => Flow<unknown, unknown>>> = {
  'nothing: events pass': () => million().map(nOf),
  'uniq, a million keys': () => million().uniq(byKey),
  'count by key, a million': () => million().keyBy(byKey).aggregate({ count: count() }),
  'count, sum, mean and max by key, a million': () =>
    million()
      .keyBy(byKey)
      .aggregate({ count: count(), sum: sum(nOf), mean: mean(nOf), max: max(nOf) }),
  'reduce to a Map of a million': () =>
    million().reduce(
      () => new Map<string, number>(),
      (all, { key, n }) => all.set(key, n),
    ),
  'groupBy, a million keys of one event': () => million().groupBy(byKey),
  'join, a million events held': () =>
    flow(events(MILLION / 2)).join(flow(events(MILLION / 2)), { left: byKey, right: byKey, maxHeld: MILLION }),
  'windows, a million open': () => million().keyBy(byKey).window(tumbling('1h', nOf)).aggregate({ count: count() }),
  'sessions, a million open': () => million().keyBy(byKey).window(session('1h', nOf)).aggregate({ count: count() }),
  'batch by key, a million open': () => million().batch({ size: 10, key: byKey }),
  'topK(10) of 10,000 keys, 100 values each': () =>
    flow(events(10_000, 100))
      .keyBy(byKey)
      .aggregate({ top: topK(10, nOf) }),
  'quantile of 10,000 keys, 100 values each': () =>
    flow(events(10_000, 100))
      .keyBy(byKey)
      .aggregate({ half: quantile(nOf, 0.5) }),
  'countDistinct of 10,000 keys, over 1,000 values each': () =>
    flow(events(10_000, 1100))
      .keyBy(byKey)
      .aggregate({ values: countDistinct(nOf) }),
  'collectAll of 10,000 keys, 100 values each': () =>
    flow(events(10_000, 100)).keyBy(byKey).aggregate({ all: collectAll() }),
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-memory-'))

async function load(from: () => ReturnType<typeof csvSource>): Promise<void> {
  const job = pipeline('memory', { from, into: () => sqliteSink(join(folder, 'out.db'), { table: 't' }) })
  await (await startPipeline(job)).done
}

/** Sources, into SQLite. */
const LOADS: Readonly<Record<string, () => Promise<void>>> = {
  'a file of 100,000 lines': async () => {
    writeFileSync(join(folder, 'in.log'), 'line\n'.repeat(100_000))
    await load(() => lines(join(folder, '*.log')) as never)
  },
  '100,000 files of one line': async () => {
    for (let n = 0; n < 100_000; n += 1) {
      const own = join(folder, `${Math.floor(n / 1000)}`)
      if (n % 1000 === 0) mkdirSync(own)
      writeFileSync(join(own, `${n}.log`), `line ${n}\n`)
    }
    await load(() => lines(join(folder, '*', '*.log')) as never)
  },
  'CSV of 1,000 columns': async () => {
    const row = Array.from({ length: 1000 }, (_, n) => n).join(',')
    writeFileSync(join(folder, 'in.csv'), `${row.replaceAll(/\d+/g, 'c$&')}\n${`${row}\n`.repeat(5000)}`)
    await load(() => csvSource(join(folder, 'in.csv')))
  },
  'NDJSON, records of 10,000 keys': async () => {
    const record = JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`k${n}`, n])))
    writeFileSync(join(folder, 'in.ndjson'), `${record}\n`.repeat(1000))
    const job = pipeline('memory', {
      from: () => ndjsonSource<Record<string, number>>(join(folder, 'in.ndjson')),
      flow: (records) => records.map((one) => ({ keys: Object.keys(one).length })),
      into: () => sqliteSink(join(folder, 'out.db'), { table: 't' }),
    })
    await (await startPipeline(job)).done
  },
}

const [, , name = ''] = process.argv
if (name === '') process.stdout.write(JSON.stringify([...Object.keys(FLOWS), ...Object.keys(LOADS)]))
else {
  // Imported modules are not part of the answer.
  new DatabaseSync(':memory:').close()
  const make = FLOWS[name]
  try {
    if (make !== undefined) await run(make(), { into: () => {} })
    else await LOADS[name]?.()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  process.stdout.write(JSON.stringify(process.resourceUsage().maxRSS / 1024))
}
