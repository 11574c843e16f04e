// The writer of a worker: one for each job, however many bundles are at work.

import { SluiceError } from '../../base/errors.ts'
import type { SinkWriter } from '../../connect/sink.ts'
import { rowsKnown } from '../../pipeline/rows-known.ts'
import type { LaidOut } from '../plan/laid-out.ts'

/** What opens a writer. */
export type WriterOf = Pick<LaidOut, 'pipeline' | 'parts'> & { readonly owner: string }

export class SinkWriters {
  readonly #open = new Map<string, Promise<SinkWriter<unknown>>>()
  /** The transaction that is under way, or was the last one. */
  #last: Promise<unknown> = Promise.resolve()

  /**
   * Does `work` with the writer, in a transaction of its own: one after the other, as none may wait for what another
   * holds. After a failure the next one gets a new writer.
   */
  within<T>(of: WriterOf, work: (writer: SinkWriter<unknown>) => Promise<T>): Promise<T> {
    const done = this.#last.then(
      () => this.#work(of, work),
      () => this.#work(of, work),
    )
    this.#last = done.catch(() => {}) // Reported to whoever asked for it.
    return done
  }

  async close(): Promise<void> {
    const open = [...this.#open.values()]
    this.#open.clear()
    await Promise.allSettled(open.map(async (writer) => await (await writer).close()))
  }

  async #work<T>(of: WriterOf, work: (writer: SinkWriter<unknown>) => Promise<T>): Promise<T> {
    const { owner } = of
    const opened = this.#open.get(owner) ?? openWriter(of)
    this.#open.set(owner, opened)
    try {
      return await work(await opened)
    } catch (error) {
      this.#open.delete(owner)
      await Promise.allSettled([opened.then((writer) => writer.close())])
      throw error
    }
  }
}

async function openWriter({ pipeline, parts, owner }: WriterOf): Promise<SinkWriter<unknown>> {
  const { sink } = parts
  if (sink.lends !== true) {
    const message = `Cannot write to ${sink.title} from a worker: it has one writer`
    throw new SluiceError('CONFIG_INVALID', message, { key: 'sink', value: sink.kind, allowed: 'a database' })
  }
  return await sink.open({ pipeline: pipeline.name, ...(await rowsKnown(parts, {})), lentBy: owner })
}
