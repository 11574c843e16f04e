// Guesses how a CSV file is written: its options, by its shape and its first rows.

import type { Columns, ColumnType } from '../connect/column.ts'
import { type CsvSourceOptions, csvSource } from '../connect/files/csv.ts'
import { columnNames, numberedNames } from '../connect/formats/csv/names.ts'
import { NUMBER_FORMS, type NumberForm, type TextType, typeOfTexts } from './column-types.ts'
import type { TableShape } from './csv-shape.ts'
import { sample } from './sample.ts'

/** The options that read a file, with the columns and types. */
export type GuessedOptions = CsvSourceOptions & { readonly columns: Columns }

interface Reading {
  readonly input: string
  readonly encoding: string | undefined
  /** What cuts large files into ranges. */
  readonly cut: CsvSourceOptions
  /** When the types must be known, in milliseconds of the system clock. */
  readonly untilMs: number
  readonly signal: AbortSignal
}

/** Rows enough to tell types, taken from all over a file, and the most values. */
const ROWS = 10_000
const VALUES = 500_000
const TURN_BYTES = 128 * 1024

export async function guessCsv(shape: TableShape, reading: Reading): Promise<GuessedOptions> {
  const { encoding } = reading
  const basic: CsvSourceOptions = {
    ...(shape.delimiter === ',' || shape.isStated ? {} : { delimiter: shape.delimiter }),
    ...(shape.hasComments ? { comment: '#' } : {}),
    ...(encoding === undefined ? {} : { encoding }),
    ...(shape.skip === 0 ? {} : { skip: shape.skip }),
    // Rows may leave out what is empty at their end.
    ...(shape.first.length > shape.columns ? { onRagged: 'pad' as const } : {}),
  }
  const rows = await firstRows(shape, basic, reading)
  const isHeaderShort = shape.first.length === shape.columns - 1
  // Where the header lacks a name, it is that of the first column: a row's number, or its name.
  const header = isHeaderShort ? ['', ...shape.first] : shape.first
  // Each of several files has it.
  const body = rows.filter((row) => !header.every((name, at) => row[at] === name))
  const { form, types } = bestForm(body, shape.columns)
  const hasHeader = isHeaderShort || !isData(shape.first, types, form)
  const names = hasHeader ? columnNames(header) : numberedNames(shape.columns)
  return {
    ...basic,
    ...headerOption(hasHeader, isHeaderShort ? shape.skip : undefined, names),
    ...valueOptions(names, types, form),
  }
}

/** The first rows, and some of the others, as texts; with the header, if that has as many fields. */
async function firstRows(shape: TableShape, basic: CsvSourceOptions, reading: Reading): Promise<string[][]> {
  const rows: string[][] = []
  const source = csvSource(reading.input, { ...basic, ...reading.cut, header: numberedNames(shape.columns) })
  const { untilMs, signal } = reading
  await sample(source, {
    untilMs,
    signal,
    maxRecords: Math.min(ROWS, Math.ceil(VALUES / shape.columns)),
    turnBytes: TURN_BYTES,
    onRead: ({ events }) => {
      for (const row of events.values()) rows.push(Object.values(row as Record<string, string>))
    },
  })
  return rows
}

function bestForm(rows: readonly string[][], columns: number): { form: NumberForm; types: readonly TextType[] } {
  const byColumn = Array.from({ length: columns }, (_, at) => rows.map((row) => row[at] ?? ''))
  const isNumber = ({ type }: TextType): boolean => type === 'integer' || type === 'real'
  let best: { form: NumberForm; types: readonly TextType[]; numbers: number } | undefined
  for (const form of NUMBER_FORMS) {
    const types = byColumn.map((values) => typeOfTexts(values, form))
    const numbers = types.filter(isNumber).length
    if (best === undefined || numbers > best.numbers) best = { form, types, numbers }
    if (numbers === columns) break
  }
  return best ?? { form: {}, types: [] }
}

/** Whether a first record looks like those after it: its fields are of the columns' types, and one of these is not text. */
function isData(first: readonly string[], types: readonly TextType[], form: NumberForm): boolean {
  const typed = types.map(({ type }, at) => ({ type, value: first[at] ?? '' })).filter(({ type }) => type !== 'text')
  return typed.length > 0 && typed.every(({ type, value }) => isOf(value, type, form))
}

function isOf(value: string, type: ColumnType, form: NumberForm): boolean {
  const found = typeOfTexts([value], form).type
  return value === '' || found === type || (found === 'integer' && type === 'real')
}

/** @param skip - how many lines precede a header that lacks a name; undefined for any other */
function headerOption(hasHeader: boolean, skip: number | undefined, names: readonly string[]): CsvSourceOptions {
  if (skip !== undefined) return { header: names, skip: skip + 1 }
  return hasHeader ? {} : { header: false }
}

function valueOptions(
  names: readonly string[],
  types: readonly TextType[],
  { decimal, thousands }: NumberForm,
): GuessedOptions {
  const entries = names.map((name, at) => [name, types[at] ?? { type: 'text' as const, nulls: [] }] as const)
  const nulls = [...new Set(entries.flatMap(([, { nulls: words }]) => words))]
  const times = entries.flatMap(([name, { time }]) => (time === undefined ? [] : [[name, time] as const]))
  const isFine = entries.some(([, { isFine: fine }]) => fine === true)
  return {
    columns: Object.fromEntries(entries.map(([name, { type }]) => [name, type] as const)),
    ...(nulls.length === 0 ? {} : { nulls: ['', ...nulls] }),
    ...(times.length === 0 ? {} : { time: Object.fromEntries(times) }),
    ...(decimal === undefined ? {} : { decimal }),
    ...(thousands === undefined ? {} : { thousands }),
    ...(isFine ? { subMilliseconds: 'truncate' as const } : {}),
  }
}
