import { equal } from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { csvFormat, ndjsonFormat, parquetFormat } from '../../connect/files/part-files/formats.ts'
import { type FileSinkOptions, plainFileSink } from '../../connect/files/part-files/sink.ts'
import { httpSink } from '../../connect/http-api/sink.ts'
import { callbackSink } from '../../connect/memory/callback.ts'
import { stdoutSink } from '../../connect/memory/stdout.ts'
import { type TwoPhaseSinkPlace, twoPhaseSinkConformance } from './two-phase-sink.ts'

interface Row {
  readonly id: number
}

const NEVER = { rollRows: Number.POSITIVE_INFINITY, rollBytes: Number.POSITIVE_INFINITY }

function filesOf(folder: string): string[] {
  const manifests = readdirSync(folder).filter((name) => name.startsWith('_manifest-'))
  return manifests.flatMap((name) => {
    const { parts } = JSON.parse(readFileSync(join(folder, name), 'utf8'))
    return parts.map(({ path }: { path: string }) => join(folder, path))
  })
}

/** All files that are to be seen, on the manifest or not. */
function seenIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('.sluice') && !entry.name.startsWith('_'))
    .map((entry) => join(entry.parentPath, entry.name))
}

function place(
  format: ReturnType<typeof ndjsonFormat>,
  options: FileSinkOptions<Row> & { columns?: { id: 'integer' } },
  read: (path: string) => Promise<number[]> | number[],
): () => TwoPhaseSinkPlace<Row> {
  return () => {
    const root = mkdtempSync(join(tmpdir(), 'sluice-plain-'))
    const folder = join(root, 'out')
    return {
      sink: plainFileSink<Row>(folder, format, options, NEVER),
      visible: async () => {
        const seen = readdirSync(root).length === 0 ? [] : seenIn(folder)
        if (seen.length > 0) equal(seen.sort().join(), filesOf(folder).sort().join())
        return (await Promise.all(seen.map(read))).flat()
      },
      close: () => rmSync(root, { recursive: true }),
    }
  }
}

const row = (id: number): Row => ({ id })
const lines = (text: string) => text.split('\n').slice(0, -1)
const readJson = (text: string) => lines(text).map((line) => Number(JSON.parse(line).id))

twoPhaseSinkConformance<Row>({
  name: 'NDJSON files',
  make: place(ndjsonFormat('none'), {}, (path) => readJson(readFileSync(path, 'utf8'))),
  row,
  refused: { id: Number.NaN },
})

twoPhaseSinkConformance<Row>({
  name: 'NDJSON files, gzip, partitioned and rolled',
  make: place(
    ndjsonFormat('gzip'),
    { partitionBy: ({ id }) => `../${id % 3}`, roll: { rows: 2 }, maxOpenParts: 2 },
    (path) => readJson(gunzipSync(readFileSync(path)).toString()),
  ),
  row,
  refused: { id: Number.NaN },
  scripts: 8,
})

twoPhaseSinkConformance<Row>({
  name: 'CSV files, zstd',
  make: place(
    csvFormat({ compression: 'zstd', delimiter: ',', header: true, spreadsheetSafe: false }),
    { columns: { id: 'integer' } },
    (path) =>
      lines(zstdDecompressSync(readFileSync(path)).toString())
        .slice(1)
        .map(Number),
  ),
  row,
  refused: { id: 1.5 },
  scripts: 15,
})

twoPhaseSinkConformance<Row>({
  name: 'Parquet files',
  make: place(parquetFormat(), { columns: { id: 'integer' } }, async (path) => {
    const { parquetReadObjects } = await import('hyparquet')
    const bytes = readFileSync(path)
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
    return (await parquetReadObjects({ file })).map((found) => Number(found.id))
  }),
  row,
  refused: { id: 1.5 },
  scripts: 15,
})

twoPhaseSinkConformance<Row>({
  name: 'a function',
  make: () => {
    const seen: number[] = []
    const sink = callbackSink<Row>('shelf', async (rows) => {
      seen.push(...rows.filter(({ id }) => id >= 0).map(({ id }) => id))
      return rows.flatMap(({ id }, index) => (id < 0 ? [index] : []))
    })
    return { sink, visible: () => seen }
  },
  row,
  refused: { id: -1 },
})

twoPhaseSinkConformance<Row>({
  name: 'HTTP',
  make: async () => {
    const seen: number[] = []
    const server = createServer(async (request, response) => {
      const rows = (await json(request)) as Row[]
      const isRefused = rows.some(({ id }) => id < 0)
      if (!isRefused) seen.push(...rows.map(({ id }) => id))
      response.writeHead(isRefused ? 422 : 200).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    return {
      sink: httpSink<Row>(`http://127.0.0.1:${port}/`, { bisect: true }),
      visible: () => seen,
      close: () => {
        server.closeAllConnections()
        server.close()
      },
    }
  },
  row,
  refused: { id: -1 },
  scripts: 10,
})

twoPhaseSinkConformance<Row>({
  name: 'standard output',
  make: () => {
    const texts: string[] = []
    const output = new Writable({
      write: (text, _encoding, done) => {
        texts.push(String(text))
        setImmediate(done)
      },
    })
    return { sink: stdoutSink<Row>(undefined, { output }), visible: () => readJson(texts.join('')) }
  },
  row,
  refused: { id: Number.NaN },
})
