import { deepEqual, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type ErrorCode, SluiceError } from '../src/base/errors.ts'
import { exitCodeOf } from '../src/cli/exit.ts'
import { ROOT } from './support/project.ts'

const [table = ''] = /interface ErrorDetails \{[\s\S]*?\n\}/.exec(
  readFileSync(join(ROOT, 'src/base/errors.ts'), 'utf8'),
) ?? ['']
const codes = [...table.matchAll(/^ {2}([A-Z_]+): /gm)].map(([, code = '']) => code)
const page = readFileSync(join(ROOT, 'docs/guide/17-errors.md'), 'utf8')
const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm)].map(([, code = '', exit]) => [code, Number(exit)])

describe('the page of errors', () => {
  it('has every code, with its exit code', () => {
    ok(codes.length > 20)
    const known = codes.map((code) => [code, exitCodeOf(new SluiceError(code as ErrorCode, '', {} as never))])
    deepEqual(Object.fromEntries(rows), Object.fromEntries(known))
  })
})
