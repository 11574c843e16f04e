import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { lineLogger } from './log.ts'

describe('lineLogger', () => {
  it('writes one line whatever the message holds', () => {
    const lines: string[] = []
    const log = lineLogger({ format: 'text', write: (line) => void lines.push(line), wallMs: () => 0 })
    log.info({}, 'a\nb')
    deepEqual(lines, ['a\\x0ab\n'])
  })

  it('writes JSON with what JSON has no form for', () => {
    const lines: string[] = []
    const log = lineLogger({ format: 'json', write: (line) => void lines.push(line), wallMs: () => 7 })
    log.error({ bytes: 2n ** 60n, cause: new Error('gone') }, 'cannot go on')
    deepEqual(JSON.parse(lines[0] ?? ''), {
      level: 'error',
      time: 7,
      bytes: '1152921504606846976',
      cause: 'gone',
      msg: 'cannot go on',
    })
  })

  it('writes fields that every record of a child has', () => {
    const lines: string[] = []
    const log = lineLogger({ format: 'json', write: (line) => void lines.push(line), wallMs: () => 7 })
    log.child({ pipeline: 'orders' }).child({ epoch: 3 }).info({ epoch: 4 }, 'committed')
    deepEqual(lines, ['{"level":"info","time":7,"pipeline":"orders","epoch":4,"msg":"committed"}\n'])
  })

  it('writes a stack below the message, line by line, and escapes each', () => {
    const lines: string[] = []
    const log = lineLogger({ format: 'text', write: (line) => void lines.push(line), wallMs: () => 0 })
    log.error({ stack: 'at a\nat \x1b[2Jb' }, 'broken')
    deepEqual(lines.join(''), 'broken\nat a\nat \\x1b[2Jb\n')
  })
})
