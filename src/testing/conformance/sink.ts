// What every sink with commits must hold, as tests: run them for one of your own.

import { describe, it } from 'node:test'
import { checkKeys } from '../../base/check.ts'
import { below, seededRandom } from '../random.ts'
import { commitRules } from './sink/commits.ts'
import { newLetter, type SinkDesk } from './sink/desk.ts'
import { holdingRules } from './sink/holding.ts'
import { keepingRules } from './sink/keeping.ts'
import { rulesOf, type SinkRule } from './sink/rule.ts'
import type { SinkSubject } from './sink/subject.ts'

const KEYS = ['name', 'make', 'row', 'refused', 'isKeyed', 'locksWhileWriting', 'startsOverInPlace', 'scripts']

/**
 * Holds a sink that promises `exactly-once` to its contract: rows, dead letters and checkpoint are committed together
 * or not at all, and are restored as they were; one instance at a time holds a pipeline, and one that was taken over
 * from commits nothing; `inspect` and `deleteDeadLetters` work, if the sink has them.
 *
 * @example
 * import { mkdtempSync, rmSync } from 'node:fs'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { DatabaseSync } from 'node:sqlite'
 * sinkConformance({
 *   name: 'SQLite',
 *   row: (number, text) => ({ number, text }),
 *   isKeyed: true,
 *   locksWhileWriting: true,
 *   make: () => {
 *     const folder = mkdtempSync(join(tmpdir(), 'sink-'))
 *     const path = join(folder, 'out.db')
 *     const columns = { number: 'integer', text: 'text' } as const
 *     return {
 *       sink: sqliteSink(path, { table: 't', columns, key: ['number'] }),
 *       visible: () => {
 *         const database = new DatabaseSync(path)
 *         const isThere = database.prepare("select 1 from sqlite_schema where name = 't'").get() !== undefined
 *         const rows = isThere ? database.prepare('select number, text from t').all() : []
 *         database.close()
 *         return rows as { number: number; text: string }[]
 *       },
 *       close: () => rmSync(folder, { recursive: true }),
 *     }
 *   },
 * })
 */
export function sinkConformance<Row>(subject: SinkSubject<Row>): void {
  checkKeys('sinkConformance', subject, KEYS)
  describe(`${subject.name} as a sink`, () => {
    for (const { name, check } of sinkRules(subject)) it(name, check)
  })
}

/** The rules, to be run one by one. */
export function sinkRules<Row>(subject: SinkSubject<Row>): readonly SinkRule[] {
  const rule = rulesOf(subject)
  return [
    ...commitRules(subject, rule),
    ...holdingRules(subject, rule),
    ...keepingRules(subject, rule),
    {
      name: 'keeps to it in every order of writing, committing, crashing and opening again',
      async check() {
        for (let seed = 1; seed <= (subject.scripts ?? 10); seed += 1) {
          await rule(`seed ${seed}`, (desk) => script(desk, seed)).check()
        }
      },
    },
  ]
}

async function script<Row>(desk: SinkDesk<Row>, seed: number): Promise<void> {
  const random = seededRandom(seed)
  let written = 0
  const next = (): number => {
    written += 1
    return written % 17
  }
  const newState = (): Uint8Array => Uint8Array.from({ length: below(4, random) }, () => below(256, random))
  try {
    for (let steps = 0; steps < 25; steps += 1) {
      const kind = below(10, random)
      if (kind < 4) await desk.write(...Array.from({ length: 1 + below(5, random) }, next))
      else if (kind < 6) await desk.writeDeadLetters(...Array.from({ length: 1 + below(3, random) }, () => newLetter()))
      else if (kind < 8) {
        const positions = { [`split ${below(3, random)}`]: steps }
        await desk.book({ positions, states: { [`part ${below(3, random)}`]: newState() } })
      } else if (kind === 8) await desk.close()
      else await desk.reopen()
    }
    await desk.reopen()
    await desk.settle()
    await desk.checkRows()
    await desk.checkLetters()
  } catch (error) {
    throw new Error(`seed ${seed}: ${error}`, { cause: error })
  }
}
