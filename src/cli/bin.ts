#!/usr/bin/env node
// The command `sluice`. In words that every Node understands, so that an old one can say what is missing.

var major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  process.stderr.write(
    'Sluice needs Node 24 or newer: this is ' +
      process.versions.node +
      ' (' +
      process.execPath +
      '). Install it from https://nodejs.org, or run "npm install --save-dev node@24" in your project\n',
  )
  process.exitCode = 78
} else {
  import('./process.ts').then((cli) => cli.runProcess())
}

export {}
