import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Flow } from '../flow/flow.ts'
import { escapeText } from '../observe/escape.ts'
import { redact } from '../observe/redact.ts'
import { times } from '../testing/times.ts'
import { mermaid } from './mermaid.ts'
import type { PipelineParts } from './pipeline.ts'

function parts(source: string, flow: Flow<number>, sink: string): PipelineParts {
  return {
    source: {
      kind: 'list',
      title: source,
      splits: async () => [],
      open: () => Promise.reject(new Error('not opened')),
    },
    node: flow.node,
    sink: {
      kind: 'list',
      title: sink,
      deadLetters: 'letters',
      guarantee: 'exactly-once',
      open: () => Promise.reject(new Error('not opened')),
    },
    top: {},
  }
}

/** Texts of what labels have trouble with. */
const unusual = fc
  .array(fc.constantFrom('\u2028', '\u202e', '\n', '\u0000', ' ', '_', '#', '1.', 'a', '"'), { maxLength: 8 })
  .map((all) => all.join(''))

/** The label of the source as it stands in the diagram. */
function labelOf(title: string): string {
  const line = mermaid(parts(title, new Flow(), '')).split('\n')[1] ?? ''
  return line.slice('  source[("'.length, -'")]'.length)
}

/** What Mermaid shows for a label. */
function shown(label: string): string {
  return label.replace(/#(\d+);/g, (_match, code) => String.fromCodePoint(Number(code)))
}

describe('mermaid', () => {
  it('draws source, steps and sink in their order, and where dead letters come from', () => {
    const double = (n: number): number => n * 2
    const flow = new Flow<number>().map(double).filter((n) => n > 2)
    equal(
      mermaid(parts('a.log as lines', flow, 'table rows in out.db')),
      `flowchart LR
  source[("a.log as lines")]
  step1["map double"]
  step2["filter 2"]
  sink[("table rows in out.db<br>exactly-once")]
  dead[/"dead letters"/]
  source --> step1 --> step2 --> sink
  source -.-> dead
  step1 -.-> dead
  step2 -.-> dead
  sink -.-> dead
`,
    )
  })

  it('makes a label of any text: nothing ends it, is markup, or is lost', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 20 }), unusual), (title) => {
        const label = labelOf(title)
        ok(!/["<>[\]{}|`*&;~\\\n]|#(?!\d+;)/.test(label.replace(/#\d+;/g, '')), label)
        // What no line may hold stands there as its number.
        equal(shown(label), escapeText(redact(title)))
      }),
      { numRuns: times(1000) },
    )
  })

  it('makes no list, link or emphasis of a text', () => {
    deepEqual(['1. first', '- x', '+ x', '_x_', 'a_b', 'www.x.org', 'https://x.org'].map(labelOf), [
      '1#46; first',
      '#45; x',
      '#43; x',
      '#95;x#95;',
      'a_b',
      'www#46;x.org',
      'https#58;//x.org',
    ])
  })

  it('takes credentials out', () => {
    equal(shown(labelOf('postgres://u:p@h/db')), 'postgres://***@h/db')
  })

  it('shows control characters as escapes, and cuts what is long', () => {
    equal(shown(labelOf('a\nb\x1b[2J')), 'a\\x0ab\\x1b[2J')
    equal(labelOf('x'.repeat(200)), `${'x'.repeat(120)}#8230;`)
  })
})
