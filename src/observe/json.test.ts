import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dataLine, jsonLine } from './json.ts'

describe('jsonLine', () => {
  it('takes credentials out of each text by itself, so that it stays JSON', () => {
    equal(jsonLine({ a: 'http://host', b: 'x:y@z' }), '{"a":"http://host","b":"x:y@z"}\n')
    deepEqual(JSON.parse(jsonLine(['postgres://u:p@h', { deep: 'amqp://u:"p"@h' }])), [
      'postgres://***@h',
      { deep: 'amqp://***@h' },
    ])
  })

  it('escapes what a terminal would obey', () => {
    equal(jsonLine('\x1b[2J\x9b\u202e'), '"\\u001b[2J\\u009b\\u202e"\n')
  })

  it('writes an error as its message', () => {
    equal(jsonLine({ cause: new Error('no way to http://u:p@h') }), '{"cause":"no way to http://***@h"}\n')
  })
})

describe('dataLine', () => {
  it('takes nothing out of data', () => {
    const data = { url: 'amqp://u:p@h/?token=x', deep: ['password=y'] }
    deepEqual(JSON.parse(dataLine(data)), data)
  })

  it('writes what JSON has no word for as null', () => equal(dataLine(undefined), 'null\n'))

  it('escapes what a terminal would obey', () => equal(dataLine('\x1b[2J'), '"\\u001b[2J"\n'))
})
