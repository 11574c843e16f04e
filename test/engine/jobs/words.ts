// Counts the words of a file, or of several.

import { count, lines, param, pipeline, sqliteSink } from 'sluice'

export default pipeline('words', {
  params: { input: param.string('*.txt'), db: param.string('out.db') },
  from: ({ input }) => lines(input, { splitBytes: 1_000_000 }),
  flow: (text) =>
    text
      .flatMap((line) => line.split(' '))
      .keyBy((word) => word)
      .aggregate({ n: count() }),
  into: ({ db }) => sqliteSink(db, { table: 'words', key: ['key'] }),
})
