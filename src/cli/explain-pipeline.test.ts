import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { count } from '../aggregate/count.ts'
import { Flow } from '../flow/flow.ts'
import { escapeText } from '../observe/escape.ts'
import { redact } from '../observe/redact.ts'
import type { PipelineParts } from '../pipeline/pipeline.ts'
import { times } from '../testing/times.ts'
import { tumbling } from '../window/window.ts'
import { explainPipeline } from './explain.ts'

const mermaid = (of: PipelineParts): string => explainPipeline(of, 'job', { as: 'mermaid' })

function parts(source: string, flow: Pick<Flow<unknown>, 'node'>, sink: string): PipelineParts {
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
      isKeyed: true,
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
  return line.slice('  layer1[("'.length, -'")]'.length)
}

/** What Mermaid shows for a label. */
function shown(label: string): string {
  return label.replace(/#(\d+);/g, (_match, code) => String.fromCodePoint(Number(code)))
}

const double = (n: number): number => n * 2
const counted = new Flow<number>()
  .map(double)
  .keyBy(double)
  .window(tumbling(60_000, (n) => n, { outOfOrderness: 0 }))
  .aggregate({ n: count() }, { name: 'counts' })

/** Without the fingerprint. */
function linesOf(words: string): string[] {
  return words.split('\n').slice(0, -2)
}

describe('explainPipeline', () => {
  it('draws layers and the sink in their order, and where dead letters come from', () => {
    const flow = new Flow<number>().map(double).filter((n) => n > 2)
    equal(
      mermaid(parts('a.log as lines', flow, 'table rows in out.db')),
      `flowchart LR
  layer1[("a.log as lines<br>map double<br>filter")]
  sink[("table rows in out.db<br>exactly-once")]
  dead[/"dead letters"/]
  layer1 --> sink
  layer1 -.-> dead
  sink -.-> dead
`,
    )
  })

  it('L92: shows layers, exchanges, keys and windows as they are laid out for the threads', () => {
    const words = explainPipeline(parts('a.log', counted, 'rows'), 'job', { as: 'words', threads: 4 })
    deepEqual(linesOf(words), [
      'layer 1, 4 stages: a.log, map double',
      'layer 2, 4 stages: event times of counts, aggregate in tumbling windows of 1 min (partial results) counts',
      '  takes from layer 1: each stage from its own',
      'layer 3, 4 stages: aggregate in tumbling windows of 1 min (merging) counts',
      '  takes from layer 2: equal keys meet, by double',
      'layer 4, 1 stage: into rows: exactly-once',
      '  takes from layer 3: everything',
      'runs on 4 worker threads: as requested',
    ])
    const picture = explainPipeline(parts('a.log', counted, 'rows'), 'job', { as: 'mermaid', threads: 2 })
    equal(
      picture,
      `flowchart LR
  layer1[("a.log<br>map double<br>2 stages")]
  layer2["event times of counts<br>aggregate in tumbling windows of 1 min (partial results) counts<br>2 stages"]
  layer3["aggregate in tumbling windows of 1 min (merging) counts<br>2 stages"]
  sink[("rows<br>exactly-once")]
  dead[/"dead letters"/]
  layer1 --> layer2
  layer2 -->|by double| layer3
  layer3 --> sink
  layer1 -.-> dead
  layer2 -.-> dead
  layer3 -.-> dead
  sink -.-> dead
`,
    )
  })

  it('L90: says that one thread is enough where no threads were asked for', () => {
    const words = explainPipeline(parts('a.log', new Flow<number>().map(double), 'rows'), 'job', { as: 'words' })
    deepEqual(linesOf(words), [
      'layer 1, 1 stage: a.log, map double',
      'layer 2, 1 stage: into rows: exactly-once',
      '  takes from layer 1: everything',
      'runs in one thread: no threads were asked for',
    ])
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
