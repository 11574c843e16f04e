import { deepEqual, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { param, readParams } from './param.ts'

const params = {
  input: param.string('logs/*.log', 'files'),
  size: param.number(100),
  strict: param.boolean(false),
  level: param.choice(['low', 'high'], 'low'),
}

describe('readParams', () => {
  it('takes defaults for what is not given', () => {
    deepEqual(readParams(params, new Map(), 'job'), { input: 'logs/*.log', size: 100, strict: false, level: 'low' })
  })

  it('reads each text as its type', () => {
    const given = new Map([
      ['size', '2.5'],
      ['strict', 'true'],
      ['level', 'high'],
    ])
    deepEqual(readParams(params, given, 'job'), { input: 'logs/*.log', size: 2.5, strict: true, level: 'high' })
  })

  it('refuses a name that the pipeline does not have, and names those it has', () => {
    throws(() => readParams(params, new Map([['inptu', 'x']]), 'job'), {
      code: 'CONFIG_INVALID',
      message: 'Pipeline job has no parameter inptu: it has input, size, strict, level',
    })
  })

  it('refuses a text that is not of its type', () => {
    for (const [name, text, allowed] of [
      ['size', '', 'a number'],
      ['size', 'NaN', 'a number'],
      ['strict', 'yes', 'true or false'],
      ['level', 'middle', 'one of low, high'],
    ] as const) {
      throws(() => readParams(params, new Map([[name, text]]), 'job'), {
        message: `Parameter ${name} of job must be ${allowed}: found ${JSON.stringify(text)}`,
      })
    }
  })

  it('takes __proto__ for a name like any other', () => {
    throws(() => readParams(params, new Map([['__proto__', 'x']]), 'job'), /has no parameter __proto__/)
  })

  it('refuses a choice whose default is none of its choices', () => {
    throws(() => param.choice(['low', 'high'], 'middle' as never), RangeError)
  })
})
