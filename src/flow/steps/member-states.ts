// The states of an aggregation's members, each by a number: of a key, or of a key in a window.

import type { Aggregate } from '../../aggregate/aggregate.ts'
import { generated } from '../../base/generated.ts'
import type { ColumnBatch } from '../../connect/column-batch.ts'
import type { Aggregating } from '../plan.ts'

/** An aggregate of unknown types. */
export type Any = Aggregate<unknown, unknown, unknown>

/** For each member the values of its field; undefined for one that reads nothing. */
export type MemberValues = readonly (ArrayLike<unknown> | undefined)[]

/** Adds values to the states with these numbers. */
type AddColumns = (numbers: Int32Array, values: MemberValues) => void

/** Adds the value that a text of code stands for to the states with number `at`, which may be new. */
interface Loops {
  readonly args: Readonly<Record<string, unknown>>
  readonly text: string
}

/** States are stored in columns, one list per member: numbers are then stored unboxed, side by side. */
export class MemberStates {
  readonly names: readonly string[]
  readonly members: readonly Any[]
  /** For each member, its states by their numbers. */
  readonly columns: readonly unknown[][]
  /** The only field that each member reads, or null; undefined if one of them needs the event. */
  readonly #fields: readonly (string | null)[] | undefined

  constructor({ aggregate }: Aggregating) {
    const { members = new Map() } = aggregate as unknown as Any
    this.names = [...members.keys()]
    this.members = [...members.values()]
    this.columns = this.members.map(() => [])
    const fields = this.members.map(fieldOfMember)
    this.#fields = fields.includes(undefined) ? undefined : (fields as (string | null)[])
  }

  /** Whether members read nothing of an event but a field each. */
  get areByField(): boolean {
    return this.#fields !== undefined
  }

  /** The values that members read of a batch; undefined if it lacks one of the fields. */
  valuesOf(batch: ColumnBatch<unknown>): MemberValues | undefined {
    const values: (ArrayLike<unknown> | undefined)[] = []
    for (const name of this.#fields ?? []) {
      const field = name === null ? undefined : batch.field(name)
      if (field === undefined && name !== null) return undefined
      values.push(field?.values())
    }
    return values
  }

  /** Makes the function that adds the values of a batch. A new state has the next number. */
  adder(): AddColumns {
    return this.adderGenerated() ?? this.adderByCalls()
  }

  /** The plain version. */
  adderByCalls(): AddColumns {
    const adds = this.members.map(addOf)
    return (numbers, values) => {
      for (let i = 0; i < numbers.length; i += 1) {
        this.update(numbers[i] as number, (m, state) => adds[m]?.(state, values[m]?.[i]))
      }
    }
  }

  /** The fast version; undefined if generated code is not allowed. */
  adderGenerated(): AddColumns | undefined {
    const own = this.members.map((_, m) => (this.#fields?.[m] === null ? 'undefined' : `c${m}[i]`))
    const { args, text } = this.loopOf(own, addOf)
    const body = `return (numbers, values) => {
      const ${own.map((_, m) => `c${m} = values[${m}]`).join(', ')}
      for (let i = 0; i < numbers.length; i += 1) {
        const at = numbers[i]
        ${text}
      }
    }`
    return generated<AddColumns>(body, args)
  }

  /**
   * Code that adds to the states with number `at`, unrolled over the members.
   *
   * @param values - for each member, the text of what it adds
   */
  loopOf(values: readonly string[], addOne: (member: Any) => unknown): Loops {
    const args: Record<string, unknown> = {}
    for (const [m, member] of this.members.entries()) {
      args[`s${m}`] = this.columns[m]
      args[`create${m}`] = member.create
      args[`add${m}`] = addOne(member)
    }
    const first = values.map((value, m) => `s${m}.push(add${m}(create${m}(), ${value}))`)
    const further = values.map(
      (value, m) => `const b${m} = s${m}[at], a${m} = add${m}(b${m}, ${value}); if (a${m} !== b${m}) s${m}[at] = a${m}`,
    )
    return { args, text: `if (at === s0.length) { ${first.join('; ')} } else { ${further.join('; ')} }` }
  }

  /** Changes the states with a number, which may be new, member by member. */
  update(at: number, change: (member: number, state: unknown) => unknown): void {
    for (let m = 0; m < this.members.length; m += 1) {
      const column = this.columns[m] as unknown[]
      column[at] = change(m, at === column.length ? this.members[m]?.create() : column[at])
    }
  }

  /** The states with a number, in the order of the members. */
  at(at: number): unknown[] {
    return this.columns.map((column) => column[at])
  }

  clear(): void {
    for (const column of this.columns) column.length = 0
  }
}

function fieldOfMember({ kind, fields, addValue }: Any): string | null | undefined {
  if (kind === 'count') return null
  return addValue === undefined || fields?.length !== 1 ? undefined : fields[0]
}

function addOf(member: Any): (state: unknown, value: unknown) => unknown {
  return (member.addValue ?? member.add) as (state: unknown, value: unknown) => unknown
}
