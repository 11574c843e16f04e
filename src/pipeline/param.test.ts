import { deepEqual, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
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

describe('parameters of a schema', () => {
  const params = {
    warehouse: param(z.string(), { env: 'WAREHOUSE' }),
    port: param(z.coerce.number().int(), { env: 'PORT', about: 'where to listen' }),
    least: param(z.coerce.number().default(5)),
  }
  const given = new Map([['port', '80']])

  it('U40: are what the schema makes of the text, of its variable, or of nothing', () => {
    const { warehouse, port, least } = readParams(params, given, 'job', { WAREHOUSE: 'w.db', PORT: '90' })
    deepEqual([warehouse.length, port + 1, least + 1], [4, 81, 6])
    deepEqual(readParams(params, new Map([['least', '7']]), 'job', { WAREHOUSE: 'w.db', PORT: '90' }).least, 7)
  })

  it('U41: are named all at once where they are required and missing; an empty variable is said to be empty', () => {
    throws(() => readParams(params, new Map(), 'job', { WAREHOUSE: '' }), {
      code: 'CONFIG_INVALID',
      message:
        'Cannot build pipeline job: it needs a value for 2 parameters warehouse (WAREHOUSE is empty), port (PORT or --param); environment variables may be in .env',
    })
    throws(() => readParams({ one: param(z.string()) }, new Map(), 'job', {}), /a value for parameter one \(--param\);/)
  })

  it('U40: say why a text does not fit, and where it came from', () => {
    throws(() => readParams(params, new Map(), 'job', { WAREHOUSE: 'w.db', PORT: 'x' }), {
      message:
        'Parameter port of job must be what its schema takes (Invalid input: expected number, received NaN): found "x" in environment variable PORT',
    })
  })

  it('S28: are shown in no error where they are secrets, by their name, their variable or because they say so', () => {
    const telling = z.string().refine(() => false, { error: ({ input }) => `not ${input}` })
    for (const secret of [
      { password: param(telling) },
      { key: param(telling, { secret: true }) },
      { key: param(telling, { env: 'API_TOKEN' }) },
    ]) {
      const [name = ''] = Object.keys(secret)
      const ways: readonly [ReadonlyMap<string, string>, Record<string, string>][] = [
        [new Map([[name, 'hunter2']]), {}],
        [new Map(), { API_TOKEN: 'hunter2' }],
      ]
      for (const [given, env] of ways) {
        // Without its text there is no value, where no variable has it.
        throws(
          () => readParams(secret, given, 'job', env),
          (thrown: Error & { details?: unknown }) => {
            ok(!`${thrown.message} ${JSON.stringify(thrown.details)}`.includes('hunter2'), thrown.message)
            return true
          },
        )
      }
    }
  })

  it('U40: reject what is not a schema, one that waits, and an unknown option', () => {
    throws(() => param('text' as never), /^TypeError: param takes a schema, such as z.string\(\), or param.string/)
    throws(() => param(z.string().refine(async () => true)).parse('x'), TypeError)
    throws(() => param(z.string(), { evn: 'X' } as never), /has no option evn/)
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
