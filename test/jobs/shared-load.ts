// Lines of files into each kind of store that several copies may share: what they load must not depend on how many there are.

import { fileSource, ndjsonSink, param, pipeline, type Sink, sqliteSink, textLines } from 'sluice'
import { postgresSink } from 'sluice/postgres'

interface Row {
  readonly n: number
}

export function into(out: string): Sink<Row> {
  const columns = { n: 'integer' } as const
  if (out.startsWith('postgres:')) return postgresSink<Row>(out, { table: 't', columns })
  return out.endsWith('.db') ? sqliteSink<Row>(out, { table: 't', columns }) : ndjsonSink<Row>(out)
}

export default pipeline('load', {
  params: {
    input: param.string(''),
    out: param.string(''),
    splitBytes: param.number(2000),
    isMended: param.boolean(false),
  },
  from: ({ input, splitBytes }) => fileSource(input, textLines(), { splitBytes }),
  flow: (lines, { isMended }) =>
    lines.map((line) => {
      const [kind, n] = line.split(' ')
      if (kind !== 'line' && !isMended) throw new Error('no line')
      return { n: Number(n) }
    }),
  into: ({ out }) => into(out),
})
