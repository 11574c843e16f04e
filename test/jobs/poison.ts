// A pipeline of which one record ends a worker, in the way that a parameter says.

import { ndjsonSource, param, pipeline, sqliteSink } from 'sluice'

interface Reading {
  readonly id: number
}

const hoard: unknown[] = []

function end(how: string): never {
  if (how === 'throw') throw new RangeError('this one is too much')
  if (how === 'exit') process.exit(0)
  if (how === 'exit 3') process.exit(3)
  if (how === 'memory') for (;;) hoard.push(Array.from({ length: 1000 }, (_, i) => ({ i })))
  for (;;);
}

export default pipeline('poison', {
  params: {
    input: param.string('in.ndjson'),
    db: param.string('out.db'),
    how: param.choice(['throw', 'exit', 'exit 3', 'memory', 'hang', 'nothing'], 'nothing'),
    at: param.number(-1, 'which one'),
    where: param.choice(['head', 'reduce'], 'reduce'),
  },
  from: ({ input }) => ndjsonSource<Reading>(input, { splitBytes: 16_384 }),
  flow: (readings, { how, at, where }) =>
    readings
      .map((reading) => {
        if (where === 'head' && reading.id === at) end(how)
        return reading
      })
      .partition({ key: ({ id }) => id % 7 })
      .emitAndReduce(
        () => 0,
        (seen, reading) => {
          if (where === 'reduce' && reading.id === at) end(how)
          return [[{ id: reading.id }], seen + 1]
        },
      ),
  into: ({ db }) => sqliteSink(db, { table: 'seen', key: ['id'] }),
})
