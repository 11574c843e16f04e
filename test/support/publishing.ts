// What tests of sinks that publish have in common: rows, loads of lines, and brokers that are not there.

import { equal, match, ok, rejects } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TwoPhaseSink } from 'sluice'
import { batchOfTracked } from '../../src/connect/batch.ts'
import { type Tracked, tracked } from '../../src/connect/origin.ts'
import { sluice } from './cli.ts'
import { upTo } from './live-load.ts'
import { untilHeld } from './progress.ts'
import { ROOT } from './project.ts'

export interface Row {
  readonly id: number
}

/** A body, undefined for a negative id. */
export function payload({ id }: Row): string {
  if (id < 0) throw new RangeError('below 0')
  return String(id)
}

export function event<T>(value: T, offset = 0): Tracked<T> {
  return tracked(value, { source: 'test', line: 1, offset, raw: 'raw' })
}

/** Publishes rows; gives the reasons of those that are refused, by their places. */
export async function publish<T>(sink: TwoPhaseSink<T>, ...rows: T[]): Promise<[number, string][]> {
  const writer = await sink.open({ pipeline: 'test', epoch: 0, note: undefined })
  try {
    const letters = await writer.write(batchOfTracked(rows.map((row, at) => event(row, at))))
    return letters.map(({ origin, reason }) => [origin.offset, reason])
  } finally {
    await writer.close()
  }
}

/** The arguments of a load of so many lines to a broker; its files are in a folder, by a name. */
export function publishLines(folder: string, url: string, count: number, name: string): readonly string[] {
  const [input, out] = [join(folder, `${name}.log`), join(folder, `${name}.db`)]
  writeFileSync(input, `${upTo(count).join('\n')}\n`)
  const given = ['--param', `input=${input}`, '--param', `url=${url}`, '--param', `out=${out}`]
  return ['run', join(ROOT, 'test', 'jobs', 'publish.ts'), '--quiet', '--epoch-ms', '20', ...given]
}

const KILLS = 5

/** Runs a load over kills at random moments after it has opened its store, to its end. */
export async function runOverKills(argv: readonly string[], random: () => number): Promise<void> {
  const store = argv.find((word) => word.startsWith('out='))?.slice('out='.length) ?? ''
  for (let turn = 0; ; turn += 1) {
    const { code, stderr } = await sluice(argv, {
      onStart: async (child) => {
        if (turn >= KILLS) return
        await untilHeld(store, child)
        await sleep(random() * 400)
        child.kill('SIGKILL')
      },
    })
    if (code === 0) return
    ok(turn < KILLS, stderr)
  }
}

/** Aborts a writer whose broker answers nothing any more. */
export async function abortsWhile(broker: { pause(): void; resume(): void }, sink: TwoPhaseSink<Row>): Promise<void> {
  const stop = new AbortController()
  const writer = await sink.open({ pipeline: 'test', epoch: 0, note: undefined, signal: stop.signal })
  broker.pause()
  try {
    const writing = writer.write(batchOfTracked([event({ id: 1 })]))
    const reason = new Error('stopped')
    stop.abort(reason)
    await rejects(async () => await writing, reason)
    await writer.close()
  } finally {
    broker.resume()
  }
}

/** There is no broker; the password is not shown. */
export async function unreachable(sink: TwoPhaseSink<unknown>): Promise<void> {
  await rejects(publish(sink, { id: 1 }), (error: Error & { code?: string }) => {
    equal(error.code, 'SINK_LOST')
    match(error.message, /^Cannot send messages to \w+:\/\/127\.0\.0\.1:\d+: .*(ECONNREFUSED|connection refused)/)
    ok(!error.message.includes('hunter22'))
    return true
  })
}
