// Counts the words of a file, or of several.

import { count, lines, param, pipeline } from 'sluice'
import { tableIn } from '../../support/table-in.ts'

export default pipeline('words', {
  params: { input: param.string('*.txt'), db: param.string('out.db') },
  from: ({ input }) => lines(input, { splitBytes: 1_000_000 }),
  flow: (text) =>
    text
      .flatMap((line) => line.split(' '))
      .keyBy((word) => word)
      .aggregate({ n: count() }),
  into: ({ db }) => tableIn(db, 'words', ['key']),
})
