// Builds the dashboard's page out of page/ into src/dashboard/built-page.ts.

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildPage, moduleOf } from './page.ts'

const target = fileURLToPath(new URL('../src/dashboard/built-page.ts', import.meta.url))
const files = await buildPage()
writeFileSync(target, moduleOf(files))
for (const [name, text] of files) console.log(`${name.padEnd(12)} ${text.length} characters`)
