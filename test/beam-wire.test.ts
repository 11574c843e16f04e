import { equal } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { ROOT } from './support/project.ts'

describe('the messages of Beam', () => {
  const folder = tempFolder('sluice-wire-')

  it('are what their file gives (npm run build:wire compiles it)', () => {
    execFileSync(process.execPath, [join(ROOT, 'scripts', 'build-wire.ts'), folder], { cwd: ROOT })
    for (const name of ['beam_pb.js', 'beam_pb.d.ts']) {
      equal(readFileSync(join(folder, name), 'utf8'), readFileSync(join(ROOT, 'src', 'beam', 'wire', name), 'utf8'))
    }
  })
})
