import { equal, rejects } from 'node:assert/strict'
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  csvSource,
  fileSource,
  jsonArraySource,
  lines,
  ndjsonSource,
  parquetSource,
  type Source,
  tailSource,
  textLines,
} from 'sluice'
import { MOST_FILES } from '../../src/connect/kits/files/list.ts'
import { tempFolder } from '../../src/testing/temp-folder.ts'

const folder = tempFolder('sluice-many-')
const NAMES = ['a', 'b', 'c']
for (const name of NAMES) writeFileSync(join(folder, `${name}.log`), '{"n":1}\n')
const LISTED = NAMES.map((name) => join(folder, `${name}.log`))

type Make = (input: string | readonly string[], maxFiles: number) => Source<unknown>
const SOURCES: Readonly<Record<string, Make>> = {
  files: (input, maxFiles) => fileSource(input, textLines(), { maxFiles }),
  lines: (input, maxFiles) => lines(input, { maxFiles }),
  csv: (input, maxFiles) => csvSource(input, { maxFiles }),
  ndjson: (input, maxFiles) => ndjsonSource(input, { maxFiles }),
  jsonArray: (input, maxFiles) => jsonArraySource(input, { maxFiles }),
  parquet: (input, maxFiles) => parquetSource(input, { maxFiles }),
}

/** Reads until something is said of the files. */
async function look(source: Source<unknown>): Promise<void> {
  for (const split of await source.splits()) {
    const reader = await source.open(split, undefined)
    try {
      await reader.read(1)
    } finally {
      await reader.close()
    }
  }
}

describe('more files than a source reads', () => {
  const refused = {
    code: 'SOURCE_LIMIT',
    message: /^Cannot read ".*": with it there are over 2 files; name fewer, or raise maxFiles$/,
  }

  for (const [name, make] of Object.entries(SOURCES)) {
    it(`S5: are refused by ${name}, by a glob and by name`, async () => {
      await rejects(look(make(join(folder, '*.log'), 2)), refused)
      await rejects(look(make(LISTED, 2)), refused)
    })
  }

  it('S5: are refused by tail, with those that rotation made', async () => {
    await rejects(look(tailSource(join(folder, '*.log'), textLines(), { maxFiles: 2 })), refused)
    const own = mkdtempSync(join(folder, 'own-'))
    for (const name of ['app.log', 'app.log.1', 'app.log.2']) cpSync(join(folder, 'a.log'), join(own, name))
    await rejects(look(tailSource(join(own, 'app.log'), textLines(), { maxFiles: 2 })), refused)
  })

  it('S5: are not too many where there are as many as allowed, 100,000 by default', async () => {
    equal((await lines(join(folder, '*.log'), { maxFiles: 3 }).splits()).length, 3)
    equal(MOST_FILES, 100_000)
  })
})
