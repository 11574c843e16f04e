// Writes rows into part files that become visible when their epoch is committed.

import { dirname, join } from 'node:path'
import { describeValue } from '../../../base/check.ts'
import { messageOf, SluiceError } from '../../../base/errors.ts'
import { invariant } from '../../../base/invariant.ts'
import { isPromise } from '../../../base/promise.ts'
import { type Batch, deadLetterAt } from '../../batch.ts'
import type { Columns } from '../../column.ts'
import {
  checkFolder,
  lookAt,
  makeFolder,
  removeFile,
  renameFile,
  storageFailed,
  syncFolder,
} from '../../kits/files/disk.ts'
import { encodeName } from '../../kits/files/name.ts'
import type { DeadLetter } from '../../origin.ts'
import type { TwoPhaseSinkOptions, TwoPhaseWriter } from '../../sink.ts'
import type { Json } from '../../source.ts'
import { columnsOfRows } from './columns.ts'
import type { PartEncoder, PartFormat } from './encoder.ts'
import { Manifest } from './manifest.ts'
import { type FilesNote, parseNote } from './note.ts'
import { type FinishedPart, Part } from './part.ts'
import { Staging } from './staging.ts'

/** What all open parts may hold in memory together, roughly; beyond that the fullest one is ended. */
const MAX_HELD_BYTES = 64 * 1024 * 1024

export interface FilesWriterOptions {
  readonly root: string
  readonly format: PartFormat
  readonly columns: Columns | undefined
  readonly partitionBy: ((row: never) => string) | undefined
  readonly rollRows: number
  readonly rollBytes: number
  readonly maxOpenParts: number
  readonly maxParts: number
  readonly mode: number
}

/**
 * A part belongs to one epoch and one partition. It is written in the staging folder, made durable by `prepare`, and
 * renamed by `publish`, which then adds it to the manifest.
 */
export class FilesWriter<Row> implements TwoPhaseWriter<Row> {
  readonly #options: FilesWriterOptions
  readonly #opening: TwoPhaseSinkOptions
  /** The pipeline, escaped for file names. */
  readonly #name: string
  readonly #staging: Staging
  readonly #manifest: Manifest
  /** The epoch that rows now belong to. */
  #epoch: number
  /** Undefined until the columns are known. */
  #encoders: (() => PartEncoder | Promise<PartEncoder>) | undefined
  /** Columns that were inferred from rows, by this run or an earlier one. */
  #found: Columns | undefined
  /** Partition → the part that its rows go to, in the order in which they were opened. */
  #open = new Map<string, Part>()
  /** Parts of this epoch that are durable. */
  #finished: FinishedPart[] = []
  /** How many parts this epoch has so far. */
  #begun = 0

  private constructor(
    options: FilesWriterOptions,
    opening: TwoPhaseSinkOptions,
    name: string,
    staging: Staging,
    manifest: Manifest,
  ) {
    this.#options = options
    this.#opening = opening
    this.#name = name
    this.#staging = staging
    this.#manifest = manifest
    this.#epoch = opening.epoch + 1
  }

  /** Removes what was not committed; the folder exists. */
  static async open<Row>(options: FilesWriterOptions, opening: TwoPhaseSinkOptions): Promise<FilesWriter<Row>> {
    const { root, mode } = options
    const name = encodeName(opening.pipeline)
    const staging = new Staging(root, name)
    await staging.make()
    const tempOf = (piece: string) => staging.tempOf(piece)
    const manifest = await Manifest.open({ root, staging: staging.path, pipeline: name, mode, tempOf })
    const note = opening.note === undefined ? undefined : noteOf(opening.pipeline, opening.note, staging)
    checkEpoch(root, opening, manifest.lastEpoch)
    await staging.clear(new Set(note?.parts.map(({ temp }) => temp)))
    const writer = new FilesWriter<Row>(options, opening, name, staging, manifest)
    await writer.#takeColumns(note)
    return writer
  }

  write(rows: Batch<Row>): readonly DeadLetter[] | Promise<readonly DeadLetter[]> {
    this.#opening.signal?.throwIfAborted()
    if (this.#encoders === undefined) return this.#findColumns(rows).then(() => this.#writeFrom(rows, 0, []))
    return this.#writeFrom(rows, 0, [])
  }

  async prepare(epoch: number): Promise<Json> {
    invariant(epoch === this.#epoch, 'the epoch being prepared is not the next one')
    const open = [...this.#open.values()].filter((part) => part.rows > 0)
    this.#open = new Map()
    // All are ended, whatever becomes of one of them: none may be left under way.
    const ended = await Promise.allSettled(open.map((part) => part.finish()))
    for (const one of ended) if (one.status === 'fulfilled') this.#finished.push(one.value)
    for (const one of ended) if (one.status === 'rejected') throw one.reason
    if (this.#finished.length > 0) await syncFolder(this.#staging.path)
    const parts = this.#finished.sort((a, b) => (a.path < b.path ? -1 : 1))
    const note: FilesNote = { epoch, parts, ...(this.#found === undefined ? {} : { columns: this.#found }) }
    this.#finished = []
    this.#begun = 0
    this.#epoch += 1
    return note
  }

  async publish(given: Json): Promise<void> {
    const { epoch, parts } = noteOf(this.#opening.pipeline, given, this.#staging)
    // Its files may be gone again by now: their readers may have removed them.
    if (parts.length === 0 || this.#manifest.lastEpoch >= epoch) return
    const folders = new Set<string>()
    for (const part of parts) {
      await this.#show(part)
      folders.add(dirname(join(this.#options.root, part.path)))
    }
    for (const folder of folders) await syncFolder(folder)
    await syncFolder(this.#staging.path)
    await this.#manifest.add(epoch, parts)
  }

  async close(): Promise<void> {
    const open = [...this.#open.values()]
    this.#open = new Map()
    for (const part of open) await part.discard()
    // The next to open the sink removes what cannot be removed now.
    for (const { temp } of this.#finished) await removeFile(join(this.#staging.path, temp)).catch(() => {})
    this.#finished = []
  }

  /** Takes rows from `from` on; waits only if a part must be written. */
  #writeFrom(
    rows: Batch<Row>,
    from: number,
    letters: DeadLetter[],
  ): readonly DeadLetter[] | Promise<readonly DeadLetter[]> {
    for (let at = from; at < rows.length; at += 1) {
      const taken = this.#take(rows, at, letters)
      if (!isPromise(taken)) continue
      return taken.then(() => {
        this.#opening.signal?.throwIfAborted()
        return this.#writeFrom(rows, at + 1, letters)
      })
    }
    return letters
  }

  #take(rows: Batch<Row>, at: number, letters: DeadLetter[]): void | Promise<void> {
    const value = rows.at(at)
    const refuse = (reason: string): void => {
      letters.push(deadLetterAt(rows, at, this.#options.format.kind, reason))
    }
    if (isPromise(value)) return refuse('a row is not a promise: the step before did not wait for it')
    if (this.#encoders === undefined) return refuse('a row must have columns: found none')
    let partition: string | undefined
    try {
      partition = this.#options.partitionBy?.(value as never)
    } catch (error) {
      return refuse(`partitionBy threw: ${messageOf(error)}`)
    }
    if (this.#options.partitionBy !== undefined && typeof partition !== 'string') {
      return refuse(`partitionBy returns a text: found ${describeValue(partition)}`)
    }
    const part = this.#open.get(partition ?? '')
    const add = (open: Part): void | Promise<void> => {
      try {
        open.add(value)
      } catch (error) {
        return refuse(messageOf(error).split('\n', 1)[0] as string)
      }
      return this.#relieve(partition ?? '', open)
    }
    return part === undefined ? this.#begin(partition).then(add) : add(part)
  }

  async #begin(partition: string | undefined): Promise<Part> {
    const { root, format, maxOpenParts, maxParts, mode } = this.#options
    if (this.#begun >= maxParts) throw tooManyParts(format.kind, maxParts, this.#epoch)
    if (this.#open.size >= maxOpenParts) {
      const [oldest] = this.#open.keys()
      await this.#end(oldest as string)
    }
    this.#begun += 1
    const number = String(this.#begun).padStart(4, '0')
    const file = `${this.#name}-${String(this.#epoch).padStart(8, '0')}-${number}${format.ending}`
    const path = partition === undefined ? file : `${encodeName(partition)}/${file}`
    // If it is found before the epoch is committed, it can still be undone.
    if (partition !== undefined) await checkFolder(dirname(join(root, path)))
    if ((await lookAt(join(root, path))) !== undefined) throw inTheWay(root, path)
    const encoder = await (this.#encoders as () => PartEncoder | Promise<PartEncoder>)()
    const temp = this.#staging.tempOf(file)
    const part = new Part({ staging: this.#staging.path, temp, path, partition, encoder, mode })
    this.#open.set(partition ?? '', part)
    return part
  }

  /** Frees memory if there is enough to write, or a part has reached its size. */
  #relieve(key: string, part: Part): void | Promise<void> {
    const { rollRows, rollBytes } = this.#options
    if (part.rows >= rollRows || part.sizeBytes >= rollBytes) return this.#end(key)
    const draining = part.drain()
    if (draining !== undefined) return draining
    // Those that are skipped here hold less than a share each: together at most as much again.
    if (part.heldBytes * this.#open.size <= MAX_HELD_BYTES) return
    return this.#relieveFullest()
  }

  #relieveFullest(): void | Promise<void> {
    let held = 0
    let fullest: [string, number] = ['', -1]
    for (const [key, part] of this.#open) {
      held += part.heldBytes
      if (part.heldBytes > fullest[1]) fullest = [key, part.heldBytes]
    }
    if (held > MAX_HELD_BYTES) return this.#end(fullest[0])
  }

  async #end(key: string): Promise<void> {
    const part = this.#open.get(key) as Part
    this.#open.delete(key)
    // Its first row was rejected.
    if (part.rows > 0) this.#finished.push(await part.finish())
  }

  /** Gives a finished part its name. It may already have it. */
  async #show({ path, temp, bytes }: FinishedPart): Promise<void> {
    const { root } = this.#options
    const from = join(this.#staging.path, temp)
    const to = join(root, path)
    if (dirname(to) !== root) await makeFolder(dirname(to))
    const there = await lookAt(to)
    if ((await lookAt(from)) !== undefined) {
      if (there !== undefined) throw inTheWay(root, path)
      return await renameFile(from, to)
    }
    if (there?.isFile() === true && there.size === bytes) return
    throw storageFailed('finish', to, 'ENOENT', 'a part that was committed is neither here nor in the staging folder')
  }

  /** Columns that were named, or are known from an earlier run. */
  async #takeColumns(note: FilesNote | undefined): Promise<void> {
    const { format, columns } = this.#options
    const named = columns ?? this.#opening.columns
    this.#found = named === undefined ? note?.columns : undefined
    const known = format.hasColumns ? (named ?? this.#found) : {}
    if (known !== undefined) this.#encoders = await format.prepare(known, named === undefined)
  }

  async #findColumns(rows: Batch<Row>): Promise<void> {
    const columns = columnsOfRows(rows.values(), {
      findsFloats: this.#options.format.findsFloats === true,
      types: this.#opening.types,
    })
    if (columns === undefined) return
    this.#encoders = await this.#options.format.prepare(columns, true)
    this.#found = columns
  }
}

function noteOf(pipeline: string, note: Json, staging: Staging): FilesNote {
  return parseNote(pipeline, note, (name) => staging.isOurs(name))
}

/** A folder that is ahead of the checkpoint is from another time: its parts would count beside those to come. */
function checkEpoch(root: string, { pipeline, epoch }: TwoPhaseSinkOptions, lastEpoch: number): void {
  if (lastEpoch <= epoch) return
  const at = epoch === 0 ? 'there is no checkpoint' : `the checkpoint is at epoch ${epoch}`
  const found = `it holds parts of ${pipeline} up to epoch ${lastEpoch}, and ${at}`
  const message = `Cannot write to ${JSON.stringify(root)}: ${found} (empty the folder, or take another one)`
  throw new SluiceError('SINK_MISMATCH', message, { sink: root, table: pipeline, found })
}

function inTheWay(root: string, path: string): SluiceError<'SINK_MISMATCH'> {
  const place = JSON.stringify(join(root, path))
  const message = `Cannot write ${place}: there is a file of that name that is not from this run (move it away)`
  return new SluiceError('SINK_MISMATCH', message, { sink: root, table: path, found: 'a file of that name' })
}

function tooManyParts(operator: string, limit: number, epoch: number): SluiceError<'STATE_OVER_LIMIT'> {
  const message = `Cannot begin another part in epoch ${epoch}: it has ${limit} (maxParts): are the partitions too many?`
  return new SluiceError('STATE_OVER_LIMIT', message, { operator, option: 'maxParts', limit })
}
