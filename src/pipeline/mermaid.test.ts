import { equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Sink } from '../connect/sink.ts'
import type { Source } from '../connect/source.ts'
import { Flow } from '../flow/flow.ts'
import { mermaid } from './mermaid.ts'

const nothing = (): never => {
  throw new Error('a diagram opens nothing')
}
const source = (title: string): Source<unknown> => ({ kind: 'files', title, splits: nothing, open: nothing })
const sink: Sink<unknown> = {
  kind: 'sqlite',
  title: 'table requests in out.db',
  guarantee: 'exactly-once',
  open: nothing,
}

describe('mermaid', () => {
  it('draws source, steps and sink in their order, and where dead letters come from', () => {
    const plan = new Flow<number>().filter((n) => n > 1, { name: 'large' }).map((n) => n).plan
    equal(
      mermaid({ source: source('logs/*.gz as access-log'), plan, sink, top: {} }),
      `flowchart LR
  source[("logs/#42;.gz as access-log")]
  step1["filter large"]
  source --> step1
  step2["map 2"]
  step1 --> step2
  sink[("table requests in out.db<br>exactly-once")]
  step2 --> sink
  dead[/"dead letters"/]
  source -.-> dead
  step1 -.-> dead
  step2 -.-> dead
  sink -.-> dead
`,
    )
  })

  it('takes any title for text', () => {
    const text = mermaid({ source: source('a"]; click x <script>\n%%{init}%% `#`'), plan: [], sink, top: {} })
    const label = /source\[\("(.*)"\)\]/.exec(text)?.[1] ?? ''
    ok(!/["\][<>`%{};]/.test(label.replace(/#\d+;/g, '')), label)
    equal(text.split('\n').length, 8)
  })
})
