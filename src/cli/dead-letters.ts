// sluice dead-letters: lists, shows, exports and replays what could not be loaded.

import { csvLine } from '../connect/formats/csv/write.ts'
import { isOfPart } from '../connect/kits/files/records/fault.ts'
import { placeOf } from '../connect/origin.ts'
import type { SinkInspector, StoredDeadLetter } from '../connect/sink.ts'
import { escapeText, excerpt } from '../observe/escape.ts'
import { dataLine, jsonLine } from '../observe/json.ts'
import { redact } from '../observe/redact.ts'
import { countText, many } from '../observe/text.ts'
import { buildPipeline } from '../pipeline/build.ts'
import { inspectorOf, replayDeadLetters } from '../pipeline/replay.ts'
import type { DeadLettersOptions } from './admin-options.ts'
import { OK } from './exit.ts'
import { type Io, put } from './io.ts'
import { loadOnlyPipeline } from './load.ts'

/** Dead letters read at once. */
const AT_ONCE = 1000
const LONGEST_RAW = 200

/** Runs `sluice dead-letters` with its arguments; returns the exit code. */
export async function deadLetters(options: DeadLettersOptions & { readonly file: string }, io: Io): Promise<number> {
  const pipeline = await loadOnlyPipeline(options.file)
  if (options.action === 'replay') {
    const report = await replayDeadLetters(pipeline, { params: options.params }, (letter) => isWanted(letter, options))
    const { tried, loaded, dead, skipped } = report
    const told = `${countText(tried)} replayed: ${countText(loaded)} loaded, ${countText(dead)} failed again`
    const rest = skipped === 0 ? '' : `; ${countText(skipped)} skipped, as they have no record to read again`
    io.stdout.write(options.json ? jsonLine(report) : `${told}${rest}\n`)
    return OK
  }
  const { sink } = buildPipeline(pipeline, options.params)
  const inspector = await inspectorOf(sink, pipeline.name, options.branch)
  try {
    if (options.action === 'list') await list(inspector, options, io)
    else await show(inspector, options, io)
  } finally {
    await inspector.close()
  }
  return OK
}

async function* lettersOf(inspector: SinkInspector, options: DeadLettersOptions): AsyncGenerator<StoredDeadLetter> {
  let after: StoredDeadLetter | undefined
  let left = options.limit
  for (;;) {
    const found = await inspector.deadLetters({ limit: AT_ONCE, ...(after === undefined ? {} : { after }) })
    if (found.length === 0) return
    after = found.at(-1)
    for (const letter of found) {
      if (!isWanted(letter, options)) continue
      if (left === 0) return
      left -= 1
      yield letter
    }
  }
}

function isWanted({ step, reason, epoch }: StoredDeadLetter, options: DeadLettersOptions): boolean {
  if (options.step !== undefined && options.step !== step) return false
  if (options.reason !== undefined && !reason.includes(options.reason)) return false
  return epoch >= options.since
}

/** The most kinds of dead letters listed separately; others are counted together. */
const MOST_KINDS = 1000

async function list(inspector: SinkInspector, options: DeadLettersOptions, io: Io): Promise<void> {
  const kinds = new Map<string, { step: string; reason: string; count: number; example: string }>()
  let all = 0
  for await (const letter of lettersOf(inspector, { ...options, limit: Number.POSITIVE_INFINITY })) {
    all += 1
    const { step, reason, origin } = letter
    const name = kinds.size < MOST_KINDS ? `${step}\0${reason}` : ''
    const kind = kinds.get(name) ?? {
      step,
      reason: name === '' ? 'other reasons' : reason,
      count: 0,
      example: placeOf(origin),
    }
    kind.count += 1
    kinds.set(name, kind)
  }
  const sorted = [...kinds.values()].sort((a, b) => b.count - a.count)
  if (options.json) return void io.stdout.write(jsonLine({ deadLetters: all, kinds: sorted }))
  if (all === 0) return void io.stdout.write('no dead letters\n')
  const width = Math.max(...sorted.map(({ count }) => countText(count).length))
  const lines = sorted.map(({ step, reason, count, example }) => {
    return `  ${countText(count).padStart(width)}  ${excerpt(step, 40)}: ${excerpt(reason, 120)}  (${excerpt(example, 120)})`
  })
  io.stdout.write(redact(`${many(all, 'dead letter')}\n${lines.join('\n')}\n`))
}

async function show(inspector: SinkInspector, options: DeadLettersOptions, io: Io): Promise<void> {
  if (options.action === 'export' && options.format === 'csv') {
    io.stdout.write(csvLine(['file', 'line', 'offset', 'step', 'reason', 'epoch', 'raw'], { spreadsheetSafe: true }))
  }
  let parts = 0
  for await (const letter of lettersOf(inspector, options)) {
    // An exported part must not be mistaken for a record.
    if (options.raw && isOfPart(letter.reason)) parts += 1
    else await put(io.stdout, textOf(letter, options))
  }
  if (parts > 0) io.stderr.write(`${many(parts, 'record')} left out, of which only a part was kept: see show\n`)
}

function textOf(letter: StoredDeadLetter, { action, format, raw: isRaw, full, json }: DeadLettersOptions): string {
  const { origin, step, reason, epoch } = letter
  const { source, line, offset, raw } = origin
  if (isRaw) return `${raw}\n`
  if (action === 'export' && format === 'csv') {
    return csvLine([source, line, offset, step, reason, epoch, raw], { spreadsheetSafe: true })
  }
  const told = { file: source, line, offset, step, reason, epoch, raw }
  if (action === 'export') return dataLine(told)
  if (json) return jsonLine(told)
  const shown = full ? escapeText(raw) : excerpt(raw, LONGEST_RAW)
  return redact(
    `${escapeText(placeOf(origin))}  ${escapeText(step)}: ${excerpt(reason, 300)}  (epoch ${epoch})\n    ${shown}\n`,
  )
}
