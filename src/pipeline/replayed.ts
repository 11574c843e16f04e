// Dead letters as the sources of a run: each record once, with those of its events that were rejected.

import type { Retried, Tried } from '../checkpoint/committer.ts'
import { readOf } from '../connect/batch.ts'
import type { Origin, SourceRecord } from '../connect/origin.ts'
import type { StoredDeadLetter } from '../connect/sink.ts'
import type { Position, Source } from '../connect/source.ts'

/** Parses one record again from its raw form; some reasons of dead letters say that it is not complete. */
export type Reparse = (origin: Origin, reason: string) => SourceRecord<unknown>

/** A record with dead letters. */
interface Again {
  readonly entry: SourceRecord<unknown>
  readonly letters: readonly StoredDeadLetter[]
}

/** The dead letters of one source, as far as they were read and committed. */
interface Reading {
  readonly records: readonly Again[]
  /** Records taken by the current epoch, and those of committed epochs. */
  taken: number
  committed: number
}

/**
 * The dead letters of each of a pipeline's sources. An attempt starts after what is committed: nothing is replayed
 * twice, and nothing is deleted that was not replayed.
 */
export class Replayed implements Retried {
  readonly #readings: readonly Reading[]

  /**
   * @param reparse - for each source of the plan; undefined if its records cannot be read again
   */
  constructor(letters: readonly StoredDeadLetter[], reparse: readonly (Reparse | undefined)[]) {
    const records = reparse.map(() => new Map<string, StoredDeadLetter[]>())
    for (const letter of letters) {
      const { source, offset } = letter.origin
      const own = records[letter.part % reparse.length]
      const name = JSON.stringify([source, offset])
      own?.set(name, [...(own.get(name) ?? []), letter])
    }
    this.#readings = reparse.map((again, number) => {
      const all = [...(records[number]?.values() ?? [])]
      return {
        records: again === undefined ? [] : all.map((some) => againOf(some, again, number)),
        taken: 0,
        committed: 0,
      }
    })
  }

  /** The dead letters of one of the sources. */
  sourceOf(number: number): Source<unknown> {
    const reading = this.#readings[number] ?? { records: [], taken: 0, committed: 0 }
    const { records } = reading
    return {
      kind: 'dead letters',
      title: `dead letters of ${records.length} records`,
      splits: async () => [{ id: splitOf(number) }],
      open: async () => {
        reading.taken = reading.committed
        const counts = { read: 0, blank: 0, invalidUtf8: 0 }
        let at = reading.committed
        return {
          read(max) {
            if (at === records.length) return undefined
            const some = records.slice(at, at + max)
            at += some.length
            counts.read += some.length
            return readOf(some.map(({ entry }) => entry))
          },
          position: () => at,
          counts,
          get doneBytes() {
            return at
          },
          close: async () => {},
        }
      },
    }
  }

  take(positions: ReadonlyMap<string, Position>): Tried {
    const tried: Again[] = []
    for (const [number, reading] of this.#readings.entries()) {
      const to = Number(positions.get(splitOf(number)) ?? reading.taken)
      tried.push(...reading.records.slice(reading.taken, to))
      reading.taken = to
    }
    return { letters: tried.flatMap(({ letters }) => letters), records: tried.length }
  }

  committed(): void {
    for (const reading of this.#readings) reading.committed = reading.taken
  }
}

function splitOf(number: number): string {
  return `dead letters of source ${number + 1}`
}

/** A record with the parts to pass on: all of it if it was rejected as a whole. */
function againOf(letters: readonly StoredDeadLetter[], reparse: Reparse, number: number): Again {
  const [{ origin, reason }] = letters as readonly [StoredDeadLetter]
  const only = letters.map(({ part }) => part)
  const entry = reparse(origin, reason)
  return { letters, entry: only.includes(number) ? entry : { ...entry, origin: { ...entry.origin, only } } }
}
