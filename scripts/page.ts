// The dashboard's page: its sources bundled, as the server gives them out.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const PAGE = fileURLToPath(new URL('../page', import.meta.url))

/** The files of the page, by name: the same for the same sources. */
export async function buildPage(): Promise<ReadonlyMap<string, string>> {
  const { outputFiles } = await build({
    absWorkingDir: PAGE,
    entryPoints: { page: 'main.tsx' },
    outdir: 'built',
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'error',
  })
  const { outputFiles: sheets } = await build({
    absWorkingDir: PAGE,
    entryPoints: { page: 'page.css' },
    outdir: 'built',
    bundle: true,
    minify: true,
    write: false,
    target: 'es2022',
    logLevel: 'error',
  })
  const [script, sheet] = [outputFiles[0], sheets[0]]
  if (script === undefined || sheet === undefined) throw new Error('the bundler gave no files')
  return new Map([
    ['icon.svg', readFileSync(join(PAGE, 'icon.svg'), 'utf8')],
    ['index.html', readFileSync(join(PAGE, 'index.html'), 'utf8')],
    ['page.css', sheet.text],
    ['page.js', script.text],
  ])
}

/** The module that holds them: packed, so that nothing in them is taken for code of ours. */
export function moduleOf(files: ReadonlyMap<string, string>): string {
  const entries = [...files].map(([name, text]) => `  '${name}':\n    '${packed(text)}',\n`)
  return `// The page as built from page/ by scripts/build-page.ts: gzip, in base64. Do not edit by hand.

export const BUILT_PAGE: Readonly<Record<string, string>> = {
${entries.join('')}}
`
}

function packed(text: string): string {
  return gzipSync(text, { level: 9 }).toString('base64')
}
