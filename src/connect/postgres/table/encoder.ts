// Rows in the binary format of COPY, and why a row cannot be encoded.

import { messageOf } from '../../../base/errors.ts'
import { hintOfValue } from '../../kits/sql/evolve.ts'
import { faultOfRow, strayOf, type TableRow } from '../../kits/sql/row.ts'
import { faultOfValue } from './codec.ts'
import type { Output } from './output.ts'
import type { Table, TableColumn } from './table.ts'
import type { WriteValue } from './value.ts'

/** Encodes rows for one table. */
export class RowEncoder {
  readonly #columns: readonly TableColumn[]
  readonly #names: readonly string[]
  readonly #writers: readonly WriteValue[]
  /** Whether every object inherits a property of that name: such a column is read from a row's own properties only. */
  readonly #isInherited: readonly boolean[]
  readonly #isKey: readonly boolean[]
  readonly #known: ReadonlySet<string>
  readonly #isInferred: boolean
  readonly #doHint: boolean
  /** Whether the last error is that the table has no column for a value: it may be changed, or more of it used. */
  isMisfit = false

  constructor({ shape, columns, mode }: Table) {
    this.#columns = columns
    this.#names = columns.map(({ name }) => name)
    this.#writers = columns.map(({ codec }) => codec.write)
    this.#isInherited = this.#names.map((name) => name in Object.prototype)
    this.#isKey = this.#names.map((name) => shape.key?.includes(name) === true)
    this.#known = new Set(this.#names)
    this.#isInferred = shape.isInferred
    this.#doHint = shape.isInferred && mode === 'freeze'
  }

  /** Appends a row; returns the reason if it is invalid, and appends nothing of it then. */
  encode(out: Output, value: unknown): string | undefined {
    this.isMisfit = false
    const noRow = faultOfRow(value)
    if (noRow !== undefined) return noRow
    const from = out.at
    try {
      const fault = this.#write(out, value as TableRow)
      if (fault !== undefined) out.at = from
      return fault
    } catch (error) {
      // A getter of the row threw.
      out.at = from
      return messageOf(error)
    }
  }

  #write(out: Output, row: TableRow): string | undefined {
    const names = this.#names
    out.reserve(16)
    out.int16(names.length)
    const prototype = Object.getPrototypeOf(row)
    const isPlain = prototype === Object.prototype || prototype === null
    let present = 0
    for (let i = 0; i < names.length; i += 1) {
      const name = names[i] as string
      const isOwn = (isPlain && this.#isInherited[i] === false) || Object.hasOwn(row, name)
      const value = isOwn ? row[name] : undefined
      if (value !== undefined) present += 1
      if (value === undefined || value === null) {
        if (this.#isKey[i] === true) return `column ${name} is part of the key: found ${value}`
        out.reserve(4)
        out.int32(-1)
      } else if (!(this.#writers[i] as WriteValue)(out, value)) {
        const { codec } = this.#columns[i] as TableColumn
        this.isMisfit = this.#isInferred
        return faultOfValue(name, codec, value) + (this.#doHint ? hintOfValue(codec.like, value) : '')
      }
    }
    const stray = this.#isInferred ? strayOf(row, present, this.#known) : undefined
    if (stray !== undefined) {
      this.isMisfit = true
      return stray.fault
    }
    if (present === 0) return `a row has some of the columns ${names.slice(0, 5).join(', ')}: found none`
    return undefined
  }
}
