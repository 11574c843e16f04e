// What a bundle counts, and how an engine is told.

import type { StepCounts } from '../../flow/step.ts'
import { ByteWriter } from '../wire/bytes.ts'

/** Totals of one bundle. */
export class Counts implements StepCounts {
  read = 0
  blank = 0
  invalidUtf8 = 0
  filtered = 0
  derived = 0
  loaded = 0
  dead = 0
  /** Elements that went to other stages. */
  crossed = 0
}

export type CountName = keyof Counts

/** The namespace of Sluice's counters. */
export const NAMESPACE = 'sluice'

const SUM = { urn: 'beam:metric:user:sum_int64:v1', type: 'beam:metrics:sum_int64:v1' } as const

/** A counter as the protocol has it. */
interface Info {
  readonly urn: string
  readonly type: string
  readonly labels: Record<string, string>
}

/** What a bundle counted, in both forms that engines read. */
export interface Told {
  readonly monitoringInfos: (Info & { readonly payload: Uint8Array })[]
  readonly monitoringData: Record<string, Uint8Array>
}

/** Counters under the short names that an engine may ask about. */
export class ShortNames {
  readonly #names = new Map<string, string>()
  readonly #infos = new Map<string, Info>()

  /** What a bundle counted at a transform, in both forms that engines read. */
  of(transform: string, counts: Counts): Told {
    // One is always told: that nothing was read is known, too.
    const told = Object.entries(counts).filter(([name, count]) => count !== 0 || name === 'read')
    const infos = told.map(([name, count]) => {
      const labels = { PTRANSFORM: transform, NAMESPACE, NAME: name }
      return { ...SUM, labels, payload: varintBytes(count) }
    })
    const data = Object.fromEntries(infos.map(({ payload, ...info }) => [this.#nameOf(info), payload]))
    return { monitoringInfos: infos, monitoringData: data }
  }

  /** What short names stand for. */
  infos(names: readonly string[]): Record<string, Info> {
    const known: Record<string, Info> = {}
    for (const name of names) {
      const info = this.#infos.get(name)
      if (info !== undefined) known[name] = info
    }
    return known
  }

  #nameOf(info: Info): string {
    const key = JSON.stringify(info)
    const name = this.#names.get(key) ?? `sluice${this.#names.size + 1}`
    this.#names.set(key, name)
    this.#infos.set(name, info)
    return name
  }
}

function varintBytes(value: number): Uint8Array {
  const bytes = new ByteWriter(16)
  bytes.varint(value)
  return bytes.take()
}
