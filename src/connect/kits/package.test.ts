import { deepEqual, equal, rejects } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { loadPackage, RELEASES } from './package.ts'

const { peerDependencies } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))

describe('packages that may be missing', () => {
  it('L64: are asked for by a command that brings a release which fits the manifest', () => {
    for (const [name, release] of Object.entries(RELEASES)) {
      const range = peerDependencies[name]
      if (release === 'latest') equal(range, '*', name)
      else deepEqual(range.match(/^\^(0\.\d+|\d+)/)?.[1], release, name)
    }
  })

  it('L64: are named with the command, and with what was found', async () => {
    const failing = (): Promise<never> => Promise.reject(new Error('Cannot find package\nRequire stack:'))
    await rejects(loadPackage('hyparquet-writer', failing), {
      code: 'CONFIG_INVALID',
      message: 'Cannot load hyparquet-writer: run "npm install hyparquet-writer@0.17" (Cannot find package)',
    })
  })
})
