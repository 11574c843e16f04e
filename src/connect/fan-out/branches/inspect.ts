// Inspects what several sinks store of a pipeline: the first for its checkpoint, all of them for a reset.

import { SluiceError } from '../../../base/errors.ts'
import type { SinkInspector } from '../../sink.ts'
import { branchPipeline, RECORD } from './record.ts'
import type { Branch } from './route.ts'

export function fanOutInspector(
  pipeline: string,
  first: SinkInspector,
  branches: ReadonlyMap<string, Branch<never>>,
): SinkInspector {
  return {
    async checkpoint() {
      const found = await first.checkpoint()
      if (found === undefined) return undefined
      const states = new Map(found.states)
      states.delete(RECORD)
      return { ...found, states }
    },
    deadLetters: (options) => first.deadLetters(options),
    /** All of them start over, or, if it is interrupted, refuse to continue until it is repeated. */
    async reset(options) {
      for (const [name, { into }] of branches) {
        if (into.inspect !== undefined) continue
        const message = `Cannot reset ${pipeline}: ${into.title}, of branch ${name}, cannot be inspected`
        throw new SluiceError('CONFIG_INVALID', message, { key: 'into', value: undefined, allowed: '' })
      }
      await first.reset(options)
      for (const [name, { into }] of branches) {
        const inspector = await into.inspect?.(branchPipeline(pipeline, name))
        await inspector?.reset(options)
        await inspector?.close()
      }
    },
    lease: async () => await first.lease?.(),
    async breakLease(token) {
      if ((await first.breakLease?.(token)) !== true) return false
      // The holder of the lease holds those of its branches, too.
      for (const [name, { into }] of branches) {
        const inspector = await into.inspect?.(branchPipeline(pipeline, name))
        const held = await inspector?.lease?.()
        if (held !== undefined) await inspector?.breakLease?.(held.token)
        await inspector?.close()
      }
      return true
    },
    close: () => first.close(),
  }
}
