import { deepEqual, equal, match } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Job } from './support/job.ts'

const CODE = `
export default pipeline('job', {
  params: { input: param.string('in.log', 'file') },
  from: ({ input }) => fileSource(import.meta.dirname + '/' + input, accessLog()),
  into: () => sqliteSink(import.meta.dirname + '/out.db', { table: 't' }),
})
`
const good = '1.1.1.1 - - [17/May/2015:10:05:03 +0200] "GET / HTTP/1.1" 200 1 "-" "x"'

describe('a file of which nearly all is rejected', () => {
  for (const [what, content, note] of [
    ['of 300 lines', `${good} 0.1\n`.repeat(300), /in\.log": (\d+) of the first \1 records were rejected/],
    ['of few', `${good} 0.1\n`.repeat(4), /in\.log": 4 of the first 4 records were rejected/],
    [
      'with some that fit',
      `${`${good} 0.1\n`.repeat(19)}${good}\n`.repeat(10),
      /in\.log": \d+ of the first \d+ records/,
    ],
  ] as const) {
    it(`X32: is reported once, with the option, and again in the summary: ${what}`, async () => {
      using job = new Job('accessLog, fileSource, param, pipeline, sqliteSink', CODE)
      job.write('in.log', content)
      const { code, stdout, stderr } = await job.here('run')
      equal(code, 0)
      match(stderr, note)
      match(stderr, /specify it: accessLog\(\{ format: '…' \}\)/)
      deepEqual(stderr.match(/were rejected/g)?.length, 1)
      match(stdout, note)
    })
  }

  it('X32: is not reported where most can be read, or too few are there to tell', async () => {
    for (const content of [`${`${good}\n`.repeat(2)}x\n`.repeat(60), 'x\n', `${good}\n`]) {
      using job = new Job('accessLog, fileSource, param, pipeline, sqliteSink', CODE)
      job.write('in.log', content)
      const { stdout, stderr } = await job.here('run')
      equal(`${stdout}${stderr}`.includes('were rejected'), false)
    }
  })
})
