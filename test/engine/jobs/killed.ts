// Words of a file, counted by workers, of which the first is killed when it comes to a word.

import { existsSync, writeFileSync } from 'node:fs'
import { count, lines, param, pipeline } from 'sluice'
import { tableIn } from '../../support/table-in.ts'

export default pipeline('killed', {
  params: {
    input: param.string('*.txt'),
    db: param.string('out.db'),
    marker: param.string('', 'a file that says that it was done'),
    at: param.choice(['reading', 'writing'], 'reading'),
  },
  from: ({ input }) => lines(input, { splitBytes: 100_000 }),
  flow: (text, { marker, at }) =>
    text
      .flatMap((line) => line.split(' '))
      .map((word) => (at === 'reading' ? passed(word, word === 'w77', marker) : word))
      .keyBy((word) => word)
      .aggregate({ n: count() })
      .map((row) => (at === 'writing' ? passed(row, row.key === 'w77', marker) : row)),
  into: ({ db }) => tableIn(db, 'words', ['key']),
})

function passed<T>(value: T, isIt: boolean, marker: string): T {
  if (isIt && marker !== '' && !existsSync(marker)) {
    writeFileSync(marker, '')
    process.kill(process.pid, 'SIGKILL')
  }
  return value
}
