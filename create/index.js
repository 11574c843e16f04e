#!/usr/bin/env node
// npm create sluice [DIR] [-- options]: the command `sluice init`, where Sluice is not installed yet.

import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

process.argv.splice(2, 0, 'init')
const manifest = createRequire(import.meta.url).resolve('sluice/package.json')
await import(new URL('dist/cli/bin.js', pathToFileURL(manifest)))
