// The questions that flows are measured by, with the programs written by hand for the same.

import { join } from 'node:path'
import { makeData, makeLog, SHARED } from './data.ts'
import { elixir, type Rivals, rust } from './rivals.ts'

export interface Work {
  readonly title: (scale: number) => string
  readonly input: (scale: number) => string
  /** Events at scale 1. */
  readonly amount: number
  /** Whether there is a form over typed records: lines are the records of a word count. */
  readonly hasRecords: boolean
  readonly rivals: (input: string, scale: number) => Rivals
}

/** The names that targets and columns speak of. */
export const TIGHT = 'tight Node, 1 thread'
export const DUCKDB = 'DuckDB SQL, 2 threads'

/** How each rival calls the question, and what was published for those that may not be installed. */
interface Names {
  readonly work: string
  readonly tight: string
  readonly duckdb: string
  readonly rustSeconds: readonly [one: number, two: number]
  readonly elixir: string
  /** Forms of the script: what a line of the table says of each, its mode, and its published seconds. */
  readonly forms: readonly (readonly [form: string, mode: string, seconds: number])[]
}

function rivals({ work, tight, duckdb, rustSeconds, elixir: script, forms }: Names): Work['rivals'] {
  return (input, scale) => {
    const parts = [
      rust(work, input, rustSeconds, scale),
      ...forms.map(([form, mode, seconds]) => elixir(`Elixir's Flow, ${form}`, [script, mode, input], seconds * scale)),
    ]
    return {
      contestants: [
        { name: TIGHT, argv: [join(SHARED, 'limits/node', `${tight}.mjs`), input] },
        { name: 'naive Node', argv: [join(SHARED, 'limits/node/naive.mjs'), work, input] },
        {
          name: DUCKDB,
          argv: [join(SHARED, 'limits/duckdb/duck.mjs'), duckdb, input, '2'],
          env: { DUCKDB_MODULES: join(import.meta.dirname, '..') },
        },
        ...parts.flatMap(({ contestants }) => contestants),
      ],
      published: parts.flatMap(({ published }) => published),
    }
  }
}

const millions = (amount: number, scale: number): string => `${(amount * scale) / 1e6} M`

export const WORKS: Readonly<Record<string, Work>> = {
  wordcount: {
    title: (scale) => `Word count, ${100 * scale} MB`,
    input: (scale) => makeData('words', scale),
    amount: 13_466_290,
    hasRecords: false,
    rivals: rivals({
      work: 'wordcount',
      tight: 'tight-wordcount',
      duckdb: 'wordcount',
      rustSeconds: [0.69, 0.35],
      elixir: 'flow_wordcount.exs',
      forms: [
        ['plain', 'stream', 8.61],
        ['tuned by hand', 'blocks_pd', 2.71],
      ],
    }),
  },
  accesslog: {
    title: (scale) => `Access log, ${millions(1e6, scale)} lines: requests and bytes by status and path`,
    input: (scale) => makeLog(1_000_000 * scale),
    amount: 1_000_000,
    hasRecords: true,
    rivals: rivals({
      work: 'accesslog',
      tight: 'tight-accesslog',
      duckdb: 'accesslog_3fields',
      rustSeconds: [0.56, 0.3],
      elixir: 'flow_accesslog.exs',
      forms: [
        ['plain', 'stream', 4.94],
        ['tuned by hand', 'blocks_ets', 2.05],
      ],
    }),
  },
  brc: {
    title: (scale) => `Least, mean and greatest by station, ${millions(1e7, scale)} rows`,
    input: (scale) => makeData('brc', scale),
    amount: 10_000_000,
    hasRecords: true,
    rivals: rivals({
      work: 'brc',
      tight: 'tight-brc',
      duckdb: 'brc',
      rustSeconds: [0.45, 0.21],
      elixir: 'flow_1brc.exs',
      forms: [
        ['plain', 'naive', 17.1],
        ['tuned by hand', 'blocks', 2.64],
      ],
    }),
  },
  windows: {
    title: (scale) => `One-minute windows by sensor, ${millions(2e6, scale)} readings`,
    input: (scale) => makeData('sensors', scale),
    amount: 2_000_000,
    hasRecords: true,
    rivals: rivals({
      work: 'windows',
      tight: 'tight-windows',
      duckdb: 'windows',
      rustSeconds: [0.18, 0.08],
      elixir: 'flow_windows.exs',
      forms: [['plain', 'file', 3.58]],
    }),
  },
}
