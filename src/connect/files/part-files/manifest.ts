// The manifest: which files of a folder count. Rewritten with every epoch, in pieces that stay small.

import { opendir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SluiceError } from '../../../base/errors.ts'
import {
  cannotStore,
  createFile,
  finishFile,
  removeFile,
  renameFile,
  syncFolder,
  writeAll,
} from '../../kits/files/disk.ts'
import type { FinishedPart } from './part.ts'

/** What a manifest says of a part. */
export interface ManifestPart {
  /** Below the folder of the manifest, with forward slashes. */
  readonly path: string
  /** The value that partitionBy returned for its rows; absent without partitions. */
  readonly partition?: string
  readonly epoch: number
  readonly rows: number
  readonly bytes: number
}

/**
 * Parts in one piece before the next epoch starts another: what a commit rewrites stays small, however long it runs.
 */
const PIECE_PARTS = 1000

export interface ManifestOptions {
  readonly root: string
  /** Where a piece is written before it gets its name. */
  readonly staging: string
  /** The pipeline, escaped for file names. */
  readonly pipeline: string
  readonly mode: number
  /** An unused name in the staging folder. */
  readonly tempOf: (piece: string) => string
}

/**
 * The manifest of one pipeline in one folder: pieces named `_manifest-<pipeline>-<epoch>.json` by the first epoch in
 * them. A part counts if a piece names it.
 */
export class Manifest {
  readonly #options: ManifestOptions
  /** The first epoch of the last piece; 0 before there is one. */
  #start: number
  /** Those of the last piece. */
  #parts: ManifestPart[]

  private constructor(options: ManifestOptions, start: number, parts: ManifestPart[]) {
    this.#options = options
    this.#start = start
    this.#parts = parts
  }

  /**
   * @throws {SluiceError} SINK_MISMATCH if the last piece is invalid
   */
  static async open(options: ManifestOptions): Promise<Manifest> {
    const { root, pipeline } = options
    const start = await lastStart(root, pipeline)
    return new Manifest(options, start, start === 0 ? [] : await readPiece(root, nameOf(pipeline, start)))
  }

  /** The last epoch of which it names parts; 0 if it names none. */
  get lastEpoch(): number {
    return this.#parts.at(-1)?.epoch ?? this.#start
  }

  /** Adds the parts of an epoch, durably. Their files are there. */
  async add(epoch: number, finished: readonly FinishedPart[]): Promise<void> {
    const { root, staging, pipeline, mode, tempOf } = this.#options
    if (this.#start === 0 || this.#parts.length >= PIECE_PARTS) {
      this.#start = epoch
      this.#parts = []
    }
    for (const { path, partition, rows, bytes } of finished) {
      this.#parts.push({ path, ...(partition === undefined ? {} : { partition }), epoch, rows, bytes })
    }
    const name = nameOf(pipeline, this.#start)
    const temp = join(staging, tempOf(name))
    const handle = await createFile(temp)
    try {
      await writeAll(handle, temp, Buffer.from(textOf(pipeline, this.#parts)))
    } catch (error) {
      await handle.close().catch(() => {})
      await removeFile(temp).catch(() => {})
      throw error
    }
    await finishFile(handle, temp, mode)
    await renameFile(temp, join(root, name))
    await syncFolder(root)
    await syncFolder(staging)
  }
}

function nameOf(pipeline: string, start: number): string {
  return `_manifest-${pipeline}-${String(start).padStart(8, '0')}.json`
}

/** JSON, with one line per part. */
function textOf(pipeline: string, parts: readonly ManifestPart[]): string {
  const lines = parts.map((part) => JSON.stringify(part)).join(',\n')
  return `{"version":1,"pipeline":${JSON.stringify(pipeline)},"parts":[\n${lines}\n]}\n`
}

/** The first epoch of the last piece in a folder; 0 if the folder is empty. */
async function lastStart(root: string, pipeline: string): Promise<number> {
  const front = `_manifest-${pipeline}-`
  let last = 0
  try {
    for await (const { name } of await opendir(root)) {
      const start = name.startsWith(front) ? /^(\d{8,15})\.json$/.exec(name.slice(front.length))?.[1] : undefined
      last = Math.max(last, Number(start ?? 0))
    }
  } catch (error) {
    throw cannotStore('read', root, error)
  }
  return last
}

async function readPiece(root: string, name: string): Promise<ManifestPart[]> {
  const path = join(root, name)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw cannotStore('read', path, error)
  }
  const found = partsOf(text)
  if (found !== undefined) return found
  const message = `Cannot continue with the manifest ${JSON.stringify(path)}: it is not of version 1, or damaged`
  throw new SluiceError('SINK_MISMATCH', message, { sink: root, table: name, found: text.slice(0, 60) })
}

function partsOf(text: string): ManifestPart[] | undefined {
  try {
    const { version, parts } = JSON.parse(text) as { version: unknown; parts: unknown }
    if (version !== 1 || !Array.isArray(parts) || parts.length === 0) return undefined
    return parts.every((part) => typeof part?.path === 'string' && Number.isSafeInteger(part?.epoch))
      ? parts
      : undefined
  } catch {
    // Not JSON, or without parts: the caller reports it.
    return undefined
  }
}
