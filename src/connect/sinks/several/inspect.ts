// Looks at what several sinks keep of a pipeline: what the first says, and a reset of all.

import { SluiceError } from '../../../base/errors.ts'
import type { HeldLease } from '../../lease.ts'
import type { CheckpointSummary, KeptLetter, SinkInspector } from '../../sink.ts'
import { branchPipeline, RECORD } from './record.ts'
import type { Branch } from './route.ts'

export class SeveralInspector implements SinkInspector {
  readonly #pipeline: string
  readonly #first: SinkInspector
  readonly #branches: ReadonlyMap<string, Branch<never>>

  constructor(pipeline: string, first: SinkInspector, branches: ReadonlyMap<string, Branch<never>>) {
    this.#pipeline = pipeline
    this.#first = first
    this.#branches = branches
  }

  async checkpoint(): Promise<CheckpointSummary | undefined> {
    const found = await this.#first.checkpoint()
    if (found === undefined) return undefined
    const states = new Map(found.states)
    states.delete(RECORD)
    return { ...found, states }
  }

  async letters(options: { readonly limit: number; readonly after?: KeptLetter }): Promise<readonly KeptLetter[]> {
    return await this.#first.letters(options)
  }

  /** All of them start over, or, where it is stopped half-way, refuse to go on until it is done again. */
  async reset(options: { readonly deadLetters: boolean }): Promise<void> {
    for (const [name, { into }] of this.#branches) {
      if (into.inspect !== undefined) continue
      const message = `Cannot reset ${this.#pipeline}: there is no looking into ${into.title}, of branch ${name}`
      throw new SluiceError('CONFIG_INVALID', message, { key: 'into', value: undefined, allowed: '' })
    }
    await this.#first.reset(options)
    for (const [name, { into }] of this.#branches) {
      const inspector = await into.inspect?.(branchPipeline(this.#pipeline, name))
      await inspector?.reset(options)
      await inspector?.close()
    }
  }

  async lease(): Promise<HeldLease | undefined> {
    return await this.#first.lease?.()
  }

  async breakLease(token: number): Promise<boolean> {
    if ((await this.#first.breakLease?.(token)) !== true) return false
    // Whoever had it has those of its branches, too.
    for (const [name, { into }] of this.#branches) {
      const inspector = await into.inspect?.(branchPipeline(this.#pipeline, name))
      const held = await inspector?.lease?.()
      if (held !== undefined) await inspector?.breakLease?.(held.token)
      await inspector?.close()
    }
    return true
  }

  async close(): Promise<void> {
    await this.#first.close()
  }
}
