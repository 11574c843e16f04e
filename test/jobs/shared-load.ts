// Lines of files into each kind of store that several copies may share: what they load must not depend on how many there are.

import { files, ndjsonFiles, param, pipeline, type Sink, sqlite, textLines } from 'sluice'
import { postgres } from 'sluice/postgres'

interface Row {
  readonly n: number
}

export function into(out: string): Sink<Row> {
  const columns = { n: 'integer' } as const
  if (out.startsWith('postgres:')) return postgres<Row>(out, { table: 't', columns })
  return out.endsWith('.db') ? sqlite<Row>(out, { table: 't', columns }) : ndjsonFiles<Row>(out)
}

export default pipeline('load', {
  params: { input: param.string(''), out: param.string(''), splitBytes: param.number(2000) },
  from: ({ input, splitBytes }) => files(input, textLines(), { splitBytes }),
  flow: (lines) =>
    lines.map((line) => {
      const [kind, n] = line.split(' ')
      if (kind !== 'line') throw new Error('no line')
      return { n: Number(n) }
    }),
  into: ({ out }) => into(out),
})
