import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ErrorCode, SluiceError } from '../base/errors.ts'
import { EXIT_CODES, exitCodeOf, exitCodeOfSignal } from './exit.ts'

describe('exit codes', () => {
  it('tell a script what to do next', () => {
    const expected: Readonly<Record<ErrorCode, number>> = {
      OUTPUT_CLOSED: 0,
      COMMAND_INVALID: 64,
      TOO_MANY_DEAD_LETTERS: 65,
      SOURCE_MISSING: 66,
      SOURCE_UNREADABLE: 66,
      SOURCE_CORRUPT: 66,
      SOURCE_LIMIT: 66,
      POSITION_LOST: 66,
      SOURCE_DIFFERS: 66,
      SINK_LOST: 69,
      SINK_UNREACHABLE: 69,
      TIMED_OUT: 69,
      RESTARTS_OVER_LIMIT: 70,
      BUFFER_FULL: 70,
      STORAGE_FAILED: 74,
      PIPELINE_HELD: 75,
      CONFIG_INVALID: 78,
      SINK_MISMATCH: 78,
      STATE_OVER_LIMIT: 65,
      STATE_NOT_KEPT: 78,
      OPERATOR_FAILED: 65,
      WORKER_FAILED: 70,
      FLOW_MISMATCH: 78,
      NOT_PORTABLE: 78,
      ENGINE_UNREACHABLE: 69,
      ENGINE_FAILED: 69,
      CHECKPOINT_INVALID: 78,
    }
    for (const [code, exitCode] of Object.entries(expected)) {
      equal(exitCodeOf(new SluiceError(code as ErrorCode, 'x', {} as never)), exitCode, code)
    }
  })

  it('take whatever nobody foresaw for a bug', () => {
    deepEqual([new TypeError('x'), 'text', undefined].map(exitCodeOf), [70, 70, 70])
  })

  it('name the signal that stopped a run', () => {
    deepEqual((['SIGHUP', 'SIGINT', 'SIGTERM'] as const).map(exitCodeOfSignal), [129, 130, 143])
  })

  it('are all in the help', () => {
    deepEqual(
      EXIT_CODES.map(([code]) => code),
      ['0', '1', '64', '65', '66', '69', '70', '74', '75', '78', '128+n'],
    )
  })
})
