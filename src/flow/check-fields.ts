// Field names that the plan itself shows to be wrong, rejected while a flow is built.

import type { AnyAggregate } from '../aggregate/aggregate.ts'
import { nearest } from '../base/nearest.ts'
import type { ColumnType } from '../connect/column.ts'
import { type Fields, fieldsOf } from './fields.ts'
import { membersOf, namesReadBy } from './operator-fields.ts'
import type { PlanNode } from './plan.ts'

/** What aggregates by name cannot take, where the type of the field is known. */
const UNFIT: Readonly<Record<string, { readonly types: readonly ColumnType[]; readonly takes: string }>> = {
  numbers: { types: ['text', 'decimal', 'boolean', 'json', 'bytes'], takes: 'numbers' },
  ordered: { types: ['boolean', 'json', 'bytes'], takes: 'numbers, texts or times' },
  counted: { types: ['json', 'bytes'], takes: 'texts, numbers, booleans or times' },
}

/**
 * Rejects an operator that reads a field which its events do not have, or whose type it cannot take, as far as the plan
 * knows them.
 */
export function checkFields({ operator, inputs }: PlanNode): void {
  const names = namesReadBy(operator)
  if (names.length === 0) return
  for (const input of inputs) {
    const fields = fieldsOf(input)
    if (fields === undefined) continue
    for (const name of names) if (!fields.has(name)) throw unknownField(operator.name, name, [...fields.keys()])
    if (operator.kind === 'aggregate')
      for (const member of membersOf(operator)) checkType(operator.name, member, fields)
  }
}

function checkType(operator: string, member: AnyAggregate<never> & { readonly takes?: string }, fields: Fields): void {
  const [field] = member.fields ?? []
  const type = field === undefined ? undefined : fields.get(field)
  const unfit = UNFIT[member.takes ?? '']
  if (type === undefined || unfit === undefined || !unfit.types.includes(type)) return
  throw new TypeError(`${operator} cannot have ${member.kind}: it takes ${unfit.takes}, and field ${field} is ${type}`)
}

function unknownField(operator: string, name: string, known: readonly string[]): TypeError {
  const near = nearest(name, known)
  const hint = near === undefined ? '' : `, did you mean ${near}?`
  return new TypeError(
    `${operator} reads field ${name}: its events have no such field${hint}; they have ${known.join(', ')}`,
  )
}
