import { deepEqual, ok, throws } from 'node:assert/strict'
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

  it('refuses a choice whose default is not one of its choices', () => {
    throws(() => param.choice(['low', 'high'], 'middle' as never), RangeError)
  })
})

describe('parameters that are secrets', () => {
  const secrets = {
    password: param.number(1),
    apiToken: param.boolean(false),
    pin: param.secret('4711', 'of the door'),
    sessionSecret: param.choice(['low', 'high'], 'low'),
  }

  it('S28: are read, and shown in no error, whether they fit their type or not', () => {
    deepEqual(readParams(secrets, new Map([['pin', 'hunter2']]), 'job').pin, 'hunter2')
    for (const name of ['password', 'apiToken', 'sessionSecret', 'pasword', 'pni']) {
      throws(
        () => readParams(secrets, new Map([[name, 'hunter2']]), 'job'),
        (thrown: Error & { details?: unknown }) => {
          ok(!`${thrown.message} ${JSON.stringify(thrown.details)} ${thrown.stack}`.includes('hunter2'), thrown.message)
          return true
        },
      )
    }
  })

  it('S28: whose text is of their own kind may say so', () => {
    const own = { pin: { ...param.number(0), isSecret: true } }
    throws(() => readParams(own, new Map([['pin', 'x1']]), 'job'), {
      message: 'Parameter pin of job must be a number: found an invalid value, not shown here',
    })
  })
})
