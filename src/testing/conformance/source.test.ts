import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { csvSource } from '../../connect/files/csv.ts'
import { jsonArraySource } from '../../connect/files/json-array.ts'
import { lines } from '../../connect/files/lines.ts'
import { ndjsonSource } from '../../connect/files/ndjson.ts'
import { fileSource } from '../../connect/files/source.ts'
import { textLines } from '../../connect/formats/text.ts'
import type { Source } from '../../connect/source.ts'
import { type SourceSample, sourceConformance, type WaitingSample } from './source.ts'

/** A source over files that hold these contents, in a folder of its own. */
function sample<T>(
  contents: readonly (string | Buffer)[],
  source: (paths: string[]) => Source<T>,
  expected: readonly T[],
  deadLetters = 0,
): SourceSample<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-source-'))
  const paths = contents.map((content, place) => {
    const path = join(folder, `${place}.data`)
    writeFileSync(path, content)
    return path
  })
  return { source: source(paths), expected, deadLetters, cleanup: () => rmSync(folder, { recursive: true }) }
}

/** A source over a pipe into which nobody writes, but that somebody holds open. */
function waiting(source: (path: string) => Source<unknown>): WaitingSample {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-source-'))
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  return { source: source(path), cleanup: () => rmSync(folder, { recursive: true }) }
}

const numbers = Array.from({ length: 700 }, (_, n) => n)
const texts = numbers.map((n) => `line ${n} ${'é'.repeat(n % 5)}`)
const manyLines = texts.map((text, n) => (n % 50 === 0 ? `\n${text}\r\n` : `${text}\n`)).join('')

sourceConformance({
  name: 'files',
  make: () =>
    sample(
      [manyLines, gzipSync('a\nb'), zstdCompressSync('c\n\0\nd\n'), ''],
      (paths) => fileSource(paths, textLines()),
      [...texts, 'a', 'b', 'c', 'd'],
      1,
    ),
  makeWaiting: () => waiting((path) => fileSource(path, textLines(), { allowSpecial: true })),
})

sourceConformance({
  name: 'lines',
  make: () =>
    sample([manyLines, 'end without an end'], (paths) => lines(paths, { splitBytes: 1000 }), [
      ...texts,
      'end without an end',
    ]),
})

const quoted = numbers.map(
  (n) => `${n},"a ""text""${n % 3 === 0 ? '\r\n' : ', '}${n}"\r\n${n % 40 === 0 ? '\r\n' : ''}`,
)
const rows = numbers.map((n) => ({ n, text: `a "text"${n % 3 === 0 ? '\r\n' : ', '}${n}` }))

sourceConformance({
  name: 'csv',
  make: () =>
    sample(
      [`n,text\r\n${quoted.join('')}`, gzipSync(`text,n\n"x\ny",1\n"open,2\nz,3\nw,-`), 'n,text\n', ''],
      (paths) => csvSource(paths.slice(0, 3), { columns: { n: 'integer', text: 'text' } }),
      [...rows, { n: 1, text: 'x\ny' }, { n: 3, text: 'z' }],
      2,
    ),
  makeWaiting: () => waiting((path) => csvSource(path, { allowSpecial: true })),
})

sourceConformance({
  name: 'csv in ranges',
  make: () =>
    sample(
      [`n,text\n${numbers.map((n) => `${n},"text, ${n}"\n`).join('')}`],
      (paths) => csvSource(paths, { quotedNewlines: false, splitBytes: 1500 }),
      numbers.map((n) => ({ n: `${n}`, text: `text, ${n}` })),
    ),
})

sourceConformance({
  name: 'ndjson',
  make: () =>
    sample(
      [numbers.map((n) => `{"n":${n}}\n`).join('\n'), '1\n{\n"two"\nnull'],
      (paths) => ndjsonSource(paths),
      [...numbers.map((n) => ({ n })), 1, 'two', null],
      1,
    ),
})

const elements = numbers.map((n) => ({ n, text: `a "text", [${n}]` }))

sourceConformance({
  name: 'json-array',
  make: () =>
    sample(
      [
        JSON.stringify(elements),
        gzipSync(JSON.stringify(elements.slice(0, 50), undefined, 2)),
        '[1,,2 ,{]}, "x" ]\n',
        '[]',
      ],
      (paths) => jsonArraySource(paths),
      [...elements, ...elements.slice(0, 50), 1, 2, 'x'],
      2,
    ),
  makeWaiting: () => waiting((path) => jsonArraySource(path, { allowSpecial: true })),
})

sourceConformance({
  name: 'jsonArraySource at a path',
  make: () =>
    sample(
      [
        `\ufeff{"data":[9],"a":{"data":[8,"}"]},"in":{"x":"\\\\","data":\n${JSON.stringify(elements)},"more":[7]},"data":1}`,
      ],
      (paths) => jsonArraySource(paths, { path: 'in.data' }),
      elements,
    ),
})
