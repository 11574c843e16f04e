#!/usr/bin/env node
// The command `sluice`. An old Node prints what is required before anything else is imported.

import { unfit } from '../base/needed-node.ts'

if (unfit === undefined) {
  import('./process.ts').then((cli) => cli.runProcess())
} else {
  process.stderr.write(`${unfit}\n`)
  process.exitCode = 78
}
