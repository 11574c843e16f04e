// Which fields the events of a flow have, as far as the plan says: by names, or by the columns of its source.

import type { AnyAggregate } from '../aggregate/aggregate.ts'
import type { Columns, ColumnType } from '../connect/column.ts'
import type { Source } from '../connect/source.ts'
import type { WindowSpec } from '../window/window.ts'
import { passedBy } from './operator-fields.ts'
import { type Aggregating, type FieldUse, nodesOf, type Operator, type PlanNode } from './plan.ts'

/** Field → its type, where that is known; in the order that events have them. */
export type Fields = ReadonlyMap<string, ColumnType | undefined>

/**
 * The fields of the events that a node gives; undefined where a function makes them, or a source does not say.
 *
 * @param input - the columns of a pipeline's source, where they are known
 * @example
 * [...(fieldsOf(flow([{ id: 1, name: 'ann' }]).select('id').node) ?? []).keys()] // => ['id']
 */
export function fieldsOf(node: PlanNode, input?: Columns): Fields | undefined {
  if (input !== undefined) return found(node, input)
  // Asked of every node of a plan, one after the other.
  if (!KNOWN.has(node)) KNOWN.set(node, found(node, undefined))
  return KNOWN.get(node)
}

const KNOWN = new WeakMap<PlanNode, Fields | undefined>()

function found(node: PlanNode, input: Columns | undefined): Fields | undefined {
  const { operator, inputs } = node
  const above = (at = 0): Fields | undefined => {
    const from = inputs[at]
    return from === undefined ? undefined : fieldsOf(from, input)
  }
  switch (operator.kind) {
    case 'input':
      return input === undefined ? undefined : new Map(Object.entries(input))
    case 'source':
      return ofSources(operator.sources)
    case 'merge':
      return common(inputs.map((_, at) => above(at)))
    case 'aggregate':
      return operator.row === undefined ? undefined : ofRow(operator, operator.row, above())
    case 'join':
      return operator.on === undefined ? undefined : joined(operator.on, above(0), above(1))
    default: {
      const use = passedBy(operator)
      return use === undefined ? undefined : afterUse(use, above())
    }
  }
}

/** Fields as columns of a sink: those of known types, and whether these are all. */
export function columnsOf(fields: Fields | undefined): { readonly columns: Columns; readonly areAll: boolean } {
  const known = [...(fields ?? [])].flatMap(([name, type]) => (type === undefined ? [] : [[name, type] as const]))
  return { columns: Object.fromEntries(known), areAll: fields !== undefined && known.length === fields.size }
}

function ofSources(sources: readonly unknown[]): Fields | undefined {
  return common(
    sources.map((source) => {
      // Rows of other sources may have more than the columns that their table is to have.
      const { columns, isTabular } = Object(source) as Partial<Source<unknown>>
      return isTabular === true && columns !== undefined ? new Map(Object.entries(columns)) : undefined
    }),
  )
}

/** What several have, if it is the same. */
function common(each: readonly (Fields | undefined)[]): Fields | undefined {
  const [first, ...others] = each
  const text = (fields: Fields | undefined): string => JSON.stringify([...(fields ?? [])])
  return others.every((other) => other !== undefined && text(other) === text(first)) ? first : undefined
}

function afterUse({ reads, only, adds }: FieldUse, before: Fields | undefined): Fields | undefined {
  if (only !== undefined) return new Map(only.map((name, at) => [name, before?.get(reads[at] as string)]))
  if (before === undefined) return undefined
  const after = new Map(before)
  for (const name of adds ?? []) after.set(name, undefined)
  return after
}

/** A result by names: its key's fields, those of its window, and its aggregates. */
function ofRow({ window, aggregate }: Aggregating, row: readonly string[], before: Fields | undefined): Fields {
  const fields = new Map<string, ColumnType | undefined>(row.map((name) => [name, before?.get(name)]))
  if (window !== undefined && window.kind === 'count') fields.set('windowIndex', 'integer')
  else if (window !== undefined && window.kind !== 'global') {
    fields.set('windowStart', 'time')
    fields.set('windowEnd', 'time')
  }
  if (window !== undefined && tellsWhy(window)) {
    fields.set('trigger', 'text')
    fields.set('isLast', 'boolean')
  }
  const { members } = aggregate as { readonly members?: ReadonlyMap<string, AnyAggregate<never>> }
  for (const [name, member] of members ?? []) fields.set(name, typeOfResult(member, before))
  return fields
}

/** Whether a window can give more than one result, so that each says why it came. */
export function tellsWhy(window: NonNullable<Aggregating['window']>): boolean {
  return window.triggers.length > 0 || ('allowedLatenessMs' in window && window.allowedLatenessMs > 0)
}

function typeOfResult({ kind, fields }: AnyAggregate<never>, before: Fields | undefined): ColumnType | undefined {
  const [what] = kind.split('(')
  if (what === 'count' || what === 'countDistinct') return 'integer'
  if (what === 'mean') return 'real'
  const [field] = fields ?? []
  const of = field === undefined ? undefined : before?.get(field)
  if (what === 'min' || what === 'max' || what === 'first' || what === 'last') return of
  return what === 'sum' && of === 'real' ? 'real' : undefined
}

function joined(on: readonly string[], left: Fields | undefined, right: Fields | undefined): Fields | undefined {
  if (left === undefined || right === undefined) return undefined
  const keys = on.map((name) => [name, left.get(name) ?? right.get(name)] as const)
  return new Map([...keys, ...[...left, ...right].filter(([name]) => !on.includes(name))])
}

/**
 * The fields that identify the rows emitted by a node: for an aggregation by names, its key's fields and the window's
 * start. Undefined if the plan does not say, and if a window emits several rows with the same start that must be kept
 * side by side.
 *
 * @example
 * rowKeyOf(flow([{ city: 'Rome' }]).keyBy('city').aggregate({ n: count() }).node) // => ['city']
 */
export function rowKeyOf({ operator, inputs: [above] }: PlanNode): readonly string[] | undefined {
  if (operator.kind === 'aggregate') return keyOfResult(operator)
  if (above === undefined || !KEEPING_ROWS.includes(operator.kind)) return undefined
  const isMixed = operator.kind === 'partition' || operator.kind === 'shuffle'
  // After several stages an earlier result of a window could overtake, and replace, a later one.
  if (isMixed && nodesOf(above).some(isRefined)) return undefined
  const [use, key] = [passedBy(operator), rowKeyOf(above)]
  if (use === undefined || key === undefined) return undefined
  const { reads, only, adds = [] } = use
  const names = key.map((name) => (only === undefined ? name : only[reads.indexOf(name)]))
  return names.every((name) => name !== undefined && !adds.includes(name)) ? (names as string[]) : undefined
}

/** Operators that make a row of a row, without looking at others. */
const KEEPING_ROWS: readonly Operator['kind'][] = ['filter', 'branch', 'partition', 'shuffle', 'map']

function isRefined({ operator }: PlanNode): boolean {
  return operator.kind === 'aggregate' && operator.window !== undefined && tellsWhy(operator.window)
}

function keyOfResult({ row, window }: Aggregating): readonly string[] | undefined {
  if (row === undefined || (window !== undefined && isRepeating(window))) return undefined
  const key = window === undefined || window.kind === 'global' ? row : [...row, placeOf(window)]
  return key.length === 0 ? undefined : key
}

/** Whether rows of one window come that are not to replace each other, or of one whose start moves. */
function isRepeating(window: WindowSpec<never>): boolean {
  return window.panes === 'discard' || (window.kind === 'session' && tellsWhy(window))
}

function placeOf({ kind }: WindowSpec<never>): string {
  return kind === 'count' ? 'windowIndex' : 'windowStart'
}
