// What a sink must hold that can be inspected: its stored state is shown as it is, deleted and reset.

import { deepEqual, equal, ok } from 'node:assert/strict'
import { isSluiceError } from '../../../base/errors.ts'
import { deadLetter } from '../../../connect/origin.ts'
import type { StoredDeadLetter } from '../../../connect/sink.ts'
import { newLetter, type SinkDesk } from './desk.ts'
import type { RuleOf, SinkRule } from './rule.ts'
import type { SinkSubject } from './subject.ts'

/** Texts that could be taken for something else. */
const HOSTILE = [
  '',
  ' ',
  "'; drop table dead_letters; --",
  '"quoted" \\ \\\\ \\. \\N \t\r\n,',
  '\u001b[2J\u0007\u202e é ß 漢 😀 \uffff',
  '{"a":[1,null]} $1 ? :a %s {}',
  'NULL',
  'x'.repeat(100_000),
]

/** Texts that not every store can hold: it may escape them. */
const UNSTORABLE = ['\0', 'a\0b', '\ud800', 'a\udc00\ud800b']

export function keepingRules<Row>(subject: SinkSubject<Row>, rule: RuleOf<Row>): SinkRule[] {
  return [
    rule('shows what it stores of a pipeline, and who holds it', async (desk, another, { sink }) => {
      if (sink.inspect === undefined) return
      const look = () => desk.inspect((inspector) => inspector.checkpoint())
      equal(await look(), undefined)
      deepEqual(await desk.letters(), [])
      await desk.commit({ positions: { a: { line: 1 }, b: null }, states: { s: Uint8Array.of(1, 2, 3) } })
      await desk.commit({ positions: { b: 'x' }, states: { t: Uint8Array.of(1) } })
      const { committed, holder, ...found } = (await look()) ?? {}
      const { states, ...kept } = desk.kept
      deepEqual(found, { ...kept, states: new Map([...states].map(([part, { length }]) => [part, length])) })
      ok(committed !== undefined && committed !== '', 'it names who committed last')
      ok(holder !== undefined && holder !== '', 'it names who holds the pipeline')
      await desk.close()
      equal((await look())?.holder, undefined)
      equal(await another({ pipeline: 'conformance.2' }).inspect((inspector) => inspector.checkpoint()), undefined)
    }),

    rule('stores dead letters as they are, whatever is in them, each once', async (desk, _, { sink }) => {
      if (sink.inspect === undefined) return
      const letters = [...HOSTILE, ...UNSTORABLE].map((text) => {
        return newLetter(text, {
          source: `file ${text.slice(0, 100)}`,
          step: `step ${text.slice(0, 100)}`,
          reason: text,
        })
      })
      await desk.writeDeadLetters(...letters)
      await desk.commit({ positions: { a: 1 } })
      await desk.checkLetters()
      const byOffset = (a: StoredDeadLetter, b: StoredDeadLetter) => a.origin.offset - b.origin.offset
      const kept = [...(await desk.letters())].sort(byOffset)
      for (const [i, { origin, step, reason, part, epoch, timeMs }] of kept.entries()) {
        deepEqual([part, epoch, origin.line], [0, 1, letters[i]?.origin.line])
        ok(Number.isSafeInteger(timeMs) && timeMs > 0, 'a dead letter has the time of its commit')
        if (i < HOSTILE.length) deepEqual({ kind: 'dead', origin, step, reason }, letters[i])
        else ok(origin.raw.length > 0 && reason.length > 0, 'what cannot be stored is escaped')
      }
      await (await desk.writer()).writeDeadLetters(letters)
      await desk.commit({ positions: { a: 2 } })
      await desk.checkLetters()
    }),

    rule('C60: stores a dead letter for each part of a record, whenever it comes', async (desk, _, { sink }) => {
      if (sink.inspect === undefined) return
      const letter = newLetter()
      const others = [1, 2 ** 40].map((part) => ({ ...letter, origin: { ...letter.origin, part, stride: 2 ** 41 } }))
      await desk.writeDeadLetters(others[1] ?? letter, newLetter(), { ...letter, step: 'other' })
      await desk.commit({ positions: { a: 1 } })
      await desk.reopen()
      await desk.writeDeadLetters(letter, others[0] ?? letter)
      await desk.commit({ positions: { a: 2 } })
      await (await desk.writer()).writeDeadLetters([{ ...letter, reason: 'again' }])
      await desk.commit({ positions: { a: 3 } })
      const found = (await desk.letters()).map(({ step, part, reason }) => `${step} ${part} ${reason}`)
      deepEqual([...found].sort(), ['map 0 again', 'map 0 no', 'map 1 no', `map ${2 ** 40} no`, 'other 0 no'])
      await desk.checkLetters()
    }),

    rule(
      'C62: stores dead letters of events without a record by their number, before all others',
      async (desk, _, at) => {
        if (at.sink.inspect === undefined) return
        const numbers = [0, 1, 7, 2 ** 33]
        const letters = numbers.map((offset) => deadLetter({ source: '', line: 0, offset, raw: '{}' }, 'map', 'no'))
        await desk.writeDeadLetters(newLetter(), ...letters)
        await desk.commit({ positions: { a: 1 } })
        equal((await desk.letters()).length, 5)
        // A place without a dead letter is a place, too.
        const place = { ...newLetter(), step: '', part: -1, epoch: 0, timeMs: 0 }
        for (const [offset, next] of [
          [0, 0],
          [2, 7],
          [8, 2 ** 33],
          [2 ** 34, undefined],
        ] as const) {
          const after = { ...place, origin: { source: '', line: 0, offset, raw: '' } }
          const [found] = await desk.inspect((inspector) => inspector.deadLetters({ limit: 1, after }))
          equal(found?.origin.source === '' ? found.origin.offset : undefined, next)
        }
      },
    ),

    rule('returns dead letters page by page, each once', async (desk, _, { sink }) => {
      if (sink.inspect === undefined) return
      const sources = ['b', 'a', 'ab', 'B', 'é', '_', 'a b', '']
      const letters = Array.from({ length: 40 }, (_, i) => newLetter('', { source: sources[i % sources.length] ?? '' }))
      await desk.writeDeadLetters(...letters)
      await desk.commit({ positions: { a: 1 } })
      const all = await desk.letters()
      for (const limit of [1, 7]) {
        const paged = await desk.inspect(async (inspector) => {
          const pages: StoredDeadLetter[] = []
          for (;;) {
            const after = pages.at(-1)
            const page = await inspector.deadLetters({ limit, ...(after === undefined ? {} : { after }) })
            ok(page.length <= limit, `asked for ${limit} dead letters, it returned ${page.length}`)
            if (page.length === 0) return pages
            pages.push(...page)
            ok(pages.length <= all.length, 'no dead letter is returned twice')
          }
        })
        deepEqual(paged, all)
      }
      await desk.checkLetters()
    }),

    rule('F37: deletes dead letters with the commit, and not before', async (desk, _, { sink }) => {
      if (sink.inspect === undefined || (await desk.writer()).deleteDeadLetters === undefined) return
      const texts = [...HOSTILE, ...UNSTORABLE]
      await desk.writeDeadLetters(...texts.map((text) => newLetter(text, { source: text, step: text })))
      await desk.commit({ positions: { a: 1 } })
      const [again, ...others] = await desk.letters()
      ok(again !== undefined)
      await desk.deleteDeadLetters([again, ...others])
      await desk.reopen()
      await desk.checkLetters()
      await desk.deleteDeadLetters([again, ...others])
      await desk.write(1)
      const { kind, origin, step } = again
      await (await desk.writer()).writeDeadLetters([{ kind, origin, step, reason: 'failed again' }])
      equal((await desk.letters()).length, texts.length)
      await desk.commit({ positions: { a: 2 } })
      deepEqual(
        (await desk.letters()).map(({ origin: place, reason, epoch }) => [place, reason, epoch]),
        [[origin, 'failed again', 2]],
      )
      await desk.checkRows()
      await desk.deleteDeadLetters(others)
      await desk.deleteDeadLetters([])
      await desk.commit({ positions: { a: 3 } })
      equal((await desk.letters()).length, 1)
    }),

    rule(
      'deletes positions, totals and states when it is reset, and never while it is held',
      async (desk, another, { sink }) => {
        if (sink.inspect === undefined) return
        const second = another({ pipeline: 'conformance.2' })
        await second.commit({ positions: { a: 7 }, states: { s: Uint8Array.of(7) } })
        await second.writeDeadLetters(newLetter())
        await second.commit()
        await second.close()
        await desk.write(1)
        await desk.writeDeadLetters(newLetter())
        await desk.commit({ positions: { a: 1 }, states: { s: Uint8Array.of(1) } })
        const refused = await reset(desk, false).catch((error: unknown) => error)
        ok(isSluiceError(refused, 'PIPELINE_HELD'), `a pipeline that is held is not reset: ${refused}`)
        await desk.reopen()
        await desk.close()
        await reset(desk, false)
        equal(await desk.inspect((inspector) => inspector.checkpoint()), undefined)
        await desk.checkRows()
        await desk.checkLetters()
        if (subject.startsOverInPlace ?? true) {
          await desk.checkRestored()
          await desk.write(2)
          await desk.commit({ positions: { b: 1 } })
          await desk.reopen()
          await desk.checkRows()
          await desk.close()
        }
        await reset(desk, true)
        deepEqual(await desk.letters(), [])
        await second.reopen()
        await second.checkLetters()
      },
    ),
  ]
}

async function reset<Row>(desk: SinkDesk<Row>, deadLetters: boolean): Promise<void> {
  await desk.inspect((inspector) => inspector.reset({ deadLetters }))
  desk.wasReset({ deadLetters })
}
