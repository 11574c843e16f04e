// Fields by name in an editor: what compiles under TypeScript 5.9 as well, what hovers show, and what is completed.

import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import ts from 'typescript-5'
import { STRICT } from './support/compile.ts'

const root = join(import.meta.dirname, '..')
const TEXT = `
import { count, flow, max, mean, tumbling } from 'sluice'
interface Reading { sensor: string; at: number; celsius: number | null; tags: string[] }
declare const readings: Reading[]
const results = flow(readings)
  .where('celsius', '>', -90)
  .keyBy('sensor')
  .window(tumbling('1m', 'at'))
  .aggregate({ n: count(), mean: mean('celsius'), worst: max('celsius') })
results.map((row) => row.n)
flow(readings).where('/*where*/', 'is', null)
flow(readings).keyBy('sensor').aggregate({ n: mean('/*mean*/') })
flow(readings).keyBy('sensor').window(tumbling('1m', '/*time*/')).aggregate({ n: count() })
flow(readings).keyBy((reading) => reading./*event*/at)
`

/** An editor with one file open. */
function editor(path: string, text: string): ts.LanguageService {
  const read = (file: string): string | undefined => (file === path ? text : ts.sys.readFile(file))
  return ts.createLanguageService({
    getCompilationSettings: () => STRICT,
    getScriptFileNames: () => [path],
    getScriptVersion: () => '1',
    getScriptSnapshot(file) {
      const found = read(file)
      return found === undefined ? undefined : ts.ScriptSnapshot.fromString(found)
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
    fileExists: (file) => file === path || ts.sys.fileExists(file),
    readFile: read,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  })
}

describe('fields by name in an editor', () => {
  it('L102: compile under TypeScript 5.9, and refuse there what they refuse elsewhere', () => {
    const path = join(root, 'src/flow/by-name-types.test.ts')
    const service = editor(path, readFileSync(path, 'utf8'))
    const found = [...service.getSyntacticDiagnostics(path), ...service.getSemanticDiagnostics(path)]
    deepEqual(
      found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
      [],
    )
    match(ts.version, /^5\.9\./)
  })

  const path = join(root, 'test/in-editor.ts')
  const service = editor(path, TEXT)
  const after = (text: string): number => {
    const at = TEXT.indexOf(text)
    ok(at !== -1, text)
    return at + text.length
  }

  it('L102: rows show their fields to who hovers over them', () => {
    deepEqual(service.getSemanticDiagnostics(path).length, 3, 'the three names that are comments')
    const { displayParts } = service.getQuickInfoAtPosition(path, after('results.map((') + 1) ?? {}
    const shown = ts.displayPartsToString(displayParts).replace(/\s+/g, ' ')
    for (const field of [
      'sensor: string',
      'windowStart: number',
      'windowEnd: number',
      'n: number',
      'mean: number | null',
      'worst: number | null',
    ]) {
      ok(shown.includes(`readonly ${field};`), `${field} in ${shown}`)
    }
  })

  const completions: readonly [mark: string, names: readonly string[]][] = [
    ['where', ['at', 'celsius', 'sensor', 'tags']],
    // All names: which of them fit is found out when one is chosen.
    ['mean', ['at', 'celsius', 'sensor', 'tags']],
    ['time', ['at', 'celsius']],
  ]
  for (const [mark, names] of completions) {
    it(`L102: names are completed (${mark})`, () => {
      const found = service.getCompletionsAtPosition(path, after(`/*${mark}*/`), {})
      const texts = (found?.entries ?? []).filter(({ kind }) => kind === ts.ScriptElementKind.string)
      deepEqual(
        texts
          .map(({ name }) => name)
          .filter((name) => name !== `/*${mark}*/`)
          .sort(),
        names,
      )
    })
  }

  it('L102: events of a function are completed as before', () => {
    const found = service.getCompletionsAtPosition(path, after('reading./*event*/'), {})
    equal(
      found?.entries.some(({ name }) => name === 'celsius'),
      true,
    )
  })
})
