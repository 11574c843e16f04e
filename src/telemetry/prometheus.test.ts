import { deepEqual, equal, match, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { RunSnapshot } from '../pipeline/snapshot.ts'
import { snapshotOf } from '../testing/snapshot-of.ts'
import { prometheusText } from './prometheus.ts'

describe('the metrics of runs', () => {
  it('are read by a strict parser, with the type of each', () => {
    const parsed = parse(prometheusText([snapshotOf({ pipeline: 'orders' })]))
    deepEqual(parsed.values.get('sluice_records_loaded_total{pipeline="orders"}'), 90)
    equal(parsed.types.get('sluice_records_loaded_total'), 'counter')
    equal(parsed.types.get('sluice_stage_demand'), 'gauge')
    equal(parsed.values.get('sluice_stage_busy_seconds_total{layer="1",pipeline="orders",stage="0"}'), 1.5)
    equal(parsed.values.get('sluice_last_commit_timestamp_seconds{pipeline="orders"}'), 1_700_000_004)
    equal(parsed.values.get('sluice_run_state{pipeline="orders",state="running"}'), 1)
    equal(parsed.values.get('sluice_run_state{pipeline="orders",state="failed"}'), 0)
    equal(parsed.values.get('sluice_layer_bottleneck{layer="1",pipeline="orders"}'), 1)
    equal(parsed.values.get('sluice_memory_bytes'), 100_000_000)
  })

  it('are counters where they are called totals, and nowhere else', () => {
    const { types } = parse(prometheusText([snapshotOf({})]))
    ok(types.size > 20)
    for (const [name, type] of types) equal(type, name.endsWith('_total') ? 'counter' : 'gauge', name)
  })

  it('leave out what is not known yet', () => {
    const { committedMs: _at, commitTookMs: _took, totalBytes: _bytes, ...early } = snapshotOf({})
    const text = prometheusText([early])
    equal(/last_commit|size_bytes/.test(text), false)
  })

  it('have every series once, however many runs a pipeline had', () => {
    const runs = [snapshotOf({ epoch: 1 }), snapshotOf({ epoch: 2 }), snapshotOf({ pipeline: 'other', epoch: 7 })]
    const { values } = parse(prometheusText(runs))
    deepEqual(
      [...values].filter(([name]) => name.startsWith('sluice_epoch{')),
      [
        ['sluice_epoch{pipeline="orders"}', 2],
        ['sluice_epoch{pipeline="other"}', 7],
      ],
    )
  })

  it('are nothing where nothing runs', () => {
    equal(prometheusText([]), '')
  })

  it('bear titles that would break out of their place', () => {
    const hostile = 'a"} 1\nfake_total{x="\\'
    const { values } = parse(prometheusText([snapshotOf({ source: hostile })]))
    deepEqual(
      [...values.keys()].filter((name) => name.startsWith('sluice_run_info') || name.startsWith('fake')),
      [`sluice_run_info{pipeline="orders",sink="rows",source=${JSON.stringify(hostile)}}`],
    )
  })

  it('bear titles of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (source, sink) => {
        const { values } = parse(prometheusText([snapshotOf({ source, sink } satisfies Partial<RunSnapshot>)]))
        return values.size > 20
      }),
    )
  })
})

describe('the parser of this test', () => {
  const of = (line: string): string => `# HELP a A.\n# TYPE a gauge\n${line}\n`

  it('refuses what Prometheus would refuse', () => {
    for (const line of ['a{b="c} 1', 'a{b="\\x"} 1', 'a{b=c} 1', 'a 1 2 3', 'a', 'a one', '1a 1', 'a{b="1",b="2"} 1']) {
      throws(() => parse(of(line)), Error, line)
    }
    throws(() => parse('a 1\n'), /no type/)
    throws(() => parse(`${of('a 1')}a 2\n`), /twice/)
    match(String(parse(of('a 1')).values.get('a')), /^1$/)
  })
})

interface Parsed {
  readonly types: ReadonlyMap<string, string>
  /** Series with its labels in order → value. */
  readonly values: ReadonlyMap<string, number>
}

/** The text format, read strictly: every byte is accounted for. */
function parse(text: string): Parsed {
  const types = new Map<string, string>()
  const helped = new Set<string>()
  const values = new Map<string, number>()
  let current = ''
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end')
  for (const line of text.split('\n').slice(0, -1)) {
    const about = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line)
    if (about !== null) {
      const [, kind, name = '', rest = ''] = about
      if (kind === 'HELP') {
        if (helped.has(name)) throw new Error(`${name} is helped twice`)
        helped.add(name)
        if (/\\(?![\\n])/.test(rest.replaceAll('\\\\', ''))) throw new Error(`an invalid escape: ${rest}`)
      } else {
        if (types.has(name)) throw new Error(`${name} is typed twice`)
        if (rest !== 'counter' && rest !== 'gauge') throw new Error(`no type: ${rest}`)
        types.set(name, rest)
        current = name
      }
      continue
    }
    const sample =
      /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\["\\n])*",?)*)\})? (\S+)$/.exec(line)
    if (sample === null) throw new Error(`not a sample: ${line}`)
    const [, name = '', labels = '', value = ''] = sample
    if (name !== current) throw new Error(`no type of ${name}, or not with its family`)
    if (!/^(?:[+-]Inf|NaN|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.test(value)) throw new Error(`not a value: ${value}`)
    const pairs = [...labels.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)].map(
      ([, label = '', escaped = '']) => {
        const plain = escaped.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))
        return [label, plain] as const
      },
    )
    if (new Set(pairs.map(([label]) => label)).size < pairs.length) throw new Error(`a label twice: ${line}`)
    const shown = pairs.map(([label, plain]) => `${label}=${JSON.stringify(plain)}`).toSorted()
    const series = shown.length === 0 ? name : `${name}{${shown.join(',')}}`
    if (values.has(series)) throw new Error(`${series} is there twice`)
    values.set(series, Number(value.replace('Inf', 'Infinity')))
  }
  return { types, values }
}
