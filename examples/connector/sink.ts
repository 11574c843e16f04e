// Delivers mails to a maildir: each epoch appears as a whole, and once.

import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Batch,
  createFile,
  type DeadLetter,
  deadLetterAt,
  finishFile,
  makeFolder,
  optionInvalid,
  removeFile,
  renameFile,
  syncFolder,
  type TwoPhaseSink,
  type TwoPhaseWriter,
  writeAll,
} from 'sluice/connect'

/** Everybody of the system may read mails that were delivered. */
const MODE = 0o644

/**
 * Mails of an epoch are written to a folder of the pipeline's own in `tmp/`, and moved to `new/` after the commit. A note of
 * the epoch has their names: whoever opens the sink after a crash moves those that are still there, and removes the rest.
 */
export function maildirSink(path: string): TwoPhaseSink<{ readonly text: string }> {
  if (typeof path !== 'string' || path === '') throw optionInvalid('maildirSink', 'path', path, 'the path of a maildir')
  return {
    kind: 'maildir',
    title: `mails in ${path}`,
    guarantee: 'exactly-once',
    async open({ pipeline, note, signal }) {
      const folders = { staged: join(path, 'tmp', `of-${encodeURIComponent(pipeline)}`), delivered: join(path, 'new') }
      for (const folder of [path, join(path, 'tmp'), folders.staged, folders.delivered]) await makeFolder(folder)
      const committed = new Set(note as readonly string[] | undefined)
      for (const name of await readdir(folders.staged)) {
        if (!committed.has(name)) await removeFile(join(folders.staged, name))
      }
      return new MaildirWriter(folders, signal)
    },
  }
}

class MaildirWriter implements TwoPhaseWriter<{ readonly text: string }> {
  readonly #folders: { readonly staged: string; readonly delivered: string }
  /** Begins the names of this writer's mails: those of later ones come after them. */
  readonly #prefix = `${Date.now()}.${randomUUID()}`
  readonly #signal: AbortSignal | undefined
  #number = 0
  /** Names of mails since the last `prepare`. */
  #names: string[] = []

  constructor(folders: { readonly staged: string; readonly delivered: string }, signal: AbortSignal | undefined) {
    this.#folders = folders
    this.#signal = signal
  }

  async write(rows: Batch<{ readonly text: string }>): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = []
    for (const [at, row] of rows.values().entries()) {
      this.#signal?.throwIfAborted()
      const { text } = Object(row) as { readonly text?: unknown }
      if (typeof text === 'string' && text.isWellFormed()) await this.#mail(Buffer.from(text))
      else letters.push(deadLetterAt(rows, at, 'maildir', 'a mail is an object with a text'))
    }
    return letters
  }

  async #mail(bytes: Uint8Array): Promise<void> {
    this.#number += 1
    const name = `${this.#prefix}.${String(this.#number).padStart(12, '0')}`
    const path = join(this.#folders.staged, name)
    const handle = await createFile(path)
    this.#names.push(name)
    try {
      await writeAll(handle, path, bytes)
    } finally {
      await finishFile(handle, path, MODE)
    }
  }

  async prepare(): Promise<readonly string[]> {
    await syncFolder(this.#folders.staged)
    const names = this.#names
    this.#names = []
    return names
  }

  async publish(note: unknown): Promise<void> {
    const { staged, delivered } = this.#folders
    const waiting = new Set(await readdir(staged))
    for (const name of note as readonly string[]) {
      if (waiting.has(name)) await renameFile(join(staged, name), join(delivered, name))
    }
    await syncFolder(delivered)
  }

  async close(): Promise<void> {
    for (const name of this.#names) await removeFile(join(this.#folders.staged, name))
    this.#names = []
  }
}
