// The source of rows of Parquet files: row group by row group.

import { checkKeys, describeValue } from '../../base/check.ts'
import { messageOf, SluiceError } from '../../base/errors.ts'
import { listFiles } from '../files/list.ts'
import { quotePath } from '../files/trouble.ts'
import { loadPackage } from '../packages.ts'
import { rowReader } from '../rows/buffered-reader.ts'
import type { Source, Split } from '../source.ts'

export interface ParquetOptions {
  /** The columns to read: all by default. */
  readonly columns?: readonly string[]
}

/**
 * Reads the rows of Parquet files, by path or glob. Needs the package `hyparquet`.
 *
 * - **Values** are those that `hyparquet` gives: numbers, bigints for 64 bits, texts, dates, lists and objects.
 * - **Splits** are files with a row group each, so that several threads read one file; memory holds one row group.
 * - **Resumes** after the last row of a row group. Files must stay as they are.
 *
 * @throws {SluiceError} CONFIG_INVALID if the package is missing; then SOURCE_MISSING, SOURCE_CORRUPT, POSITION_LOST
 * @example
 * parquet('trips/*.parquet').title // => 'trips/*.parquet as Parquet'
 */
export function parquet<Row = Record<string, unknown>>(
  input: string | readonly string[],
  options: ParquetOptions = {},
): Source<Row> {
  checkKeys('parquet', options, ['columns'])
  const { columns } = options
  if (columns !== undefined && (columns.length === 0 || !columns.every((name) => typeof name === 'string'))) {
    throw new TypeError(`columns of parquet must be names: found ${describeValue(columns)}`)
  }
  return {
    kind: 'parquet',
    title: `${typeof input === 'string' ? input : input.join(', ')} as Parquet`,
    async splits({ signal } = {}) {
      const splits: Split[] = []
      for (const found of await listFiles(input, { allowSpecial: false, signal })) {
        if (found.kind !== 'file') continue
        const { groups } = await metadataOf(found.path)
        for (const [index, { bytes }] of groups.entries()) {
          splits.push({ id: `${found.path}#group-${index}`, sizeBytes: bytes })
        }
      }
      return splits
    },
    async open({ id }, from, { signal } = {}) {
      signal?.throwIfAborted()
      const at = id.lastIndexOf('#group-')
      const path = id.slice(0, at)
      const { groups, read } = await metadataOf(path)
      const group = groups[Number(id.slice(at + '#group-'.length))]
      const done = from === undefined ? 0 : Number(from)
      if (group === undefined || !Number.isSafeInteger(done) || done > group.rows) {
        const message = `Cannot resume ${quotePath(path)} from row ${done}: the file is another one`
        throw new SluiceError('POSITION_LOST', message, { source: path, position: `row ${done}` })
      }
      let isRead = false
      return rowReader<Row>(
        {
          async next() {
            if (isRead || done === group.rows) return undefined
            isRead = true
            return (await read(group.from + done, group.from + group.rows, columns)) as readonly Row[]
          },
          originOf: (row, number) => ({
            source: path,
            line: group.from + number + 1,
            offset: group.from + number,
            raw: rawOf(row),
          }),
          positionAfter: (_, number) => number,
          close: () => {},
        },
        done,
        signal,
      )
    },
  }
}

interface Group {
  /** The number of its first row in the file. */
  readonly from: number
  readonly rows: number
  readonly bytes: number
}

interface Opened {
  readonly groups: readonly Group[]
  read(from: number, to: number, columns: readonly string[] | undefined): Promise<readonly unknown[]>
}

async function metadataOf(path: string): Promise<Opened> {
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await loadPackage(
    'hyparquet',
    () => import('hyparquet'),
  )
  try {
    const file = await asyncBufferFromFile(path)
    const metadata = await parquetMetadataAsync(file)
    let from = 0
    const groups = metadata.row_groups.map((group) => {
      const rows = Number(group.num_rows)
      from += rows
      return { from: from - rows, rows, bytes: Number(group.total_byte_size) }
    })
    return {
      groups,
      async read(rowStart, rowEnd, columns) {
        try {
          return await parquetReadObjects({
            file,
            metadata,
            rowStart,
            rowEnd,
            ...(columns === undefined ? {} : { columns: [...columns] }),
          })
        } catch (error) {
          throw corrupt(path, error)
        }
      },
    }
  } catch (error) {
    throw corrupt(path, error)
  }
}

function corrupt(path: string, error: unknown): unknown {
  if (error instanceof SluiceError) return error
  const found = messageOf(error)
  const message = `Cannot read ${quotePath(path)} as Parquet: ${found}`
  return new SluiceError('SOURCE_CORRUPT', message, { source: path, offset: 0, found }, { cause: error })
}

function rawOf(row: unknown): string {
  return JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
}
