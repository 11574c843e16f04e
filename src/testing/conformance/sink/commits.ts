// What a sink with commits must hold: all or nothing, and what was committed is restored as it was.

import { deepEqual, equal, ok } from 'node:assert/strict'
import { batchOf, batchOfTracked } from '../../../connect/batch.ts'
import { tracked } from '../../../connect/origin.ts'
import { below, seededRandom } from '../../random.ts'
import { newLetter, newOrigin } from './desk.ts'
import type { RuleOf, SinkRule } from './rule.ts'
import type { SinkSubject } from './subject.ts'

export function commitRules<Row>({ refused, isKeyed = false }: SinkSubject<Row>, rule: RuleOf<Row>): SinkRule[] {
  return [
    rule('shows rows and dead letters once they are committed, and not before', async (desk) => {
      await desk.write(1, 2)
      await desk.writeDeadLetters(newLetter())
      await desk.write(3)
      await desk.checkRows()
      await desk.commit({ positions: { a: 1 } })
      await desk.checkRows()
      await desk.checkLetters()
      await desk.write(4)
      await desk.checkRows()
      await desk.commit({ positions: { a: 2 } })
      await desk.checkRows()
    }),

    rule('drops what was not committed when it is closed', async (desk) => {
      await desk.write(1)
      await desk.writeDeadLetters(newLetter())
      await desk.reopen()
      await desk.write(2)
      await desk.commit({ positions: { a: 1 } })
      await desk.write(3)
      await desk.writeDeadLetters(newLetter())
      await desk.reopen()
      await desk.checkRows()
      await desk.checkLetters()
      await desk.commit({ positions: { a: 2 } })
      await desk.checkRows()
      await desk.checkLetters()
    }),

    rule('gives positions, totals and states back as they were', async (desk) => {
      await desk.checkRestored()
      const strange = 'it\'s "\\" /é😀\n; drop table t; --'
      const nested = {
        line: 3,
        at: [1.5, null, true, -0.001],
        text: '\0\ud800\n"',
        deep: { '': Number.MAX_SAFE_INTEGER },
      }
      await desk.commit({
        positions: { a: nested, [strange]: strange, none: null },
        states: { 'uniq/0': Uint8Array.of(0, 255, 0), [strange]: Uint8Array.of(1), gone: Uint8Array.of(1, 2) },
      })
      await desk.reopen()
      await desk.commit({ positions: { a: 2 }, states: { gone: new Uint8Array(), 'uniq/1': Uint8Array.of(39, 92) } })
      await desk.reopen()
      await desk.commit({ states: { gone: Uint8Array.of(3), 'uniq/0': new Uint8Array(), never: new Uint8Array() } })
      await desk.commit({ positions: { b: '' } })
      await desk.reopen()
    }),

    rule('gives large states back, and many of them', async (desk) => {
      const random = seededRandom(1)
      const large = Uint8Array.from({ length: 3_000_000 }, () => below(256, random))
      const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`part ${i}`, Uint8Array.of(i, 0)]))
      const positions = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`split ${i}`, { line: i }]))
      await desk.commit({ positions, states: { large, ...many } })
      await desk.reopen()
      await desk.commit({ states: { large: large.subarray(1000, 1_001_000), 'part 7': new Uint8Array() } })
      await desk.reopen()
    }),

    rule('takes epochs without rows, and continues the count over runs', async (desk) => {
      await desk.commit()
      await desk.reopen()
      await desk.commit()
      await desk.commit({ positions: { a: 1 } })
      await desk.reopen()
      await (await desk.writer()).write(batchOf([]))
      await (await desk.writer()).writeDeadLetters([])
      await desk.write(1)
      await desk.commit()
      await desk.reopen()
      equal(desk.epoch, 4)
      await desk.checkRows()
    }),

    rule('keeps the pipelines of one store apart', async (desk, another) => {
      const second = another({ pipeline: 'conformance.2' })
      await desk.write(1)
      await desk.writeDeadLetters(newLetter())
      await desk.commit({ positions: { a: 1 }, states: { s: Uint8Array.of(1) } })
      await second.checkRestored()
      await second.write(2)
      await second.writeDeadLetters(newLetter(), newLetter())
      await second.commit({ positions: { a: 7, b: 8 }, states: { s: new Uint8Array(), t: Uint8Array.of(2) } })
      await desk.write(3)
      await desk.commit({ positions: { a: 2 } })
      await desk.reopen()
      await second.reopen()
      await desk.checkLetters()
      await second.checkLetters()
      await desk.checkRows([[2, '']])
    }),

    rule(
      isKeyed ? 'overwrites the row of the same key' : 'adds rows, even those that are there already',
      async (desk) => {
        await desk.write([1, 'a'], [2, 'a'], [1, 'b'])
        await desk.write([2, 'b'])
        await desk.commit({ positions: { a: 1 } })
        await desk.checkRows()
        await desk.write([1, 'c'], [3, 'a'])
        await desk.commit({ positions: { a: 2 } })
        await desk.reopen()
        await desk.write([1, 'd'])
        await desk.commit({ positions: { a: 3 } })
        await desk.checkRows()
      },
    ),

    rule('returns only the rejected rows, each as a dead letter with the reason', async (desk) => {
      if (refused === undefined) return
      const bad = [tracked(refused, newOrigin('bad')), tracked(refused, newOrigin('bad'))]
      const [first, second] = bad as [(typeof bad)[0], (typeof bad)[0]]
      const letters = await (await desk.writer()).write(
        batchOfTracked([desk.event(1), first, desk.event(2), second, desk.event(3)]),
      )
      deepEqual(
        letters.map(({ origin }) => origin),
        [first.origin, second.origin],
      )
      ok(
        letters.every(({ kind, reason, step }) => kind === 'dead' && reason !== '' && step !== ''),
        'a letter says why, and where',
      )
      await desk.writeDeadLetters(...letters)
      await desk.write(4)
      await desk.commit({ positions: { a: 1 } })
      await desk.checkRows([1, 2, 3].map((number) => [number, '']))
      await desk.checkLetters()
    }),

    rule('closes at any time, and more than once', async (desk) => {
      for (const act of [
        () => {},
        () => desk.write(1),
        () => desk.writeDeadLetters(newLetter()),
        () => desk.commit(),
      ]) {
        await act()
        const writer = await desk.writer()
        await desk.close()
        await writer.close()
        await desk.checkRestored()
      }
    }),
  ]
}
