// The footer of a Parquet file: its schema, and where the row groups and their columns are.

import { Damage } from './errors.ts'
import { type FieldType, ThriftReader } from './thrift.ts'

/** An element of the schema, as written: a column, or a group of columns. */
export interface SchemaElement {
  readonly name: string
  /** The number of the physical type; undefined for a group. */
  readonly type: number | undefined
  readonly typeLength: number
  /** 0 required, 1 optional, 2 repeated. */
  readonly repetition: number
  readonly children: number
  /** The number of the legacy annotation; undefined without one. */
  readonly converted: number | undefined
  readonly scale: number
  readonly precision: number
  readonly logical: LogicalAnnotation | undefined
}

/** The number of an annotation, with its parameters. */
export interface LogicalAnnotation {
  readonly id: number
  readonly scale?: number
  readonly precision?: number
  /** 1 milliseconds, 2 microseconds, 3 nanoseconds. */
  readonly unit?: number
  /** Whether a time is an instant, and not local time. */
  readonly isUtc?: boolean
  readonly bitWidth?: number
  readonly isSigned?: boolean
}

/** A row group in the footer; its columns are read from `at` in the footer when it is opened. */
export interface RowGroup {
  /** The number of its first row in the file. */
  readonly from: number
  readonly rows: number
  readonly bytes: number
  readonly at: number
}

/** A column of a row group: where its pages are. */
export interface ColumnChunk {
  readonly path: readonly string[]
  readonly type: number
  readonly codec: number
  readonly values: number
  readonly from: number
  readonly bytes: number
  /** The decompressed size of its pages. */
  readonly fullBytes: number
}

export interface Footer {
  /** As in the file. */
  readonly bytes: Buffer
  readonly schema: readonly SchemaElement[]
  readonly groups: readonly RowGroup[]
}

/** The most columns and groups of a schema. */
const MAX_ELEMENTS = 65_536
/** The most row groups of a file. */
const MAX_GROUPS = 1_048_576

/** Reads a footer without its length and the final magic. */
export function parseFooter(bytes: Buffer): Footer {
  const reader = new ThriftReader(bytes)
  const schema: SchemaElement[] = []
  const groups: RowGroup[] = []
  let rows: number | undefined
  let from = 0
  reader.structure((id, type) => {
    if (id === 2) {
      reader.list(type, () => {
        if (schema.length === MAX_ELEMENTS) throw new Damage(`its schema has over ${MAX_ELEMENTS} columns`)
        schema.push(readElement(reader))
      })
    } else if (id === 3) {
      rows = reader.count(type)
    } else if (id === 4) {
      reader.list(type, () => {
        if (groups.length === MAX_GROUPS) throw new Damage(`it has over ${MAX_GROUPS} row groups`)
        const group = readGroup(reader, from)
        groups.push(group)
        from += group.rows
      })
    } else if (id === 8) {
      throw new Damage('it is encrypted, which is not supported')
    } else return false
    return true
  })
  if (rows === undefined || schema.length === 0) throw new Damage('its footer has no schema, or no number of rows')
  if (rows !== from) throw new Damage(`its footer says ${rows} rows, its row groups say ${from}`)
  return { bytes, schema, groups }
}

/** The columns of a row group, in the order of the schema's. */
export function chunksOf(footer: Footer, group: RowGroup): ColumnChunk[] {
  const reader = new ThriftReader(footer.bytes, group.at)
  const chunks: ColumnChunk[] = []
  reader.structure((id, type) => {
    if (id !== 1) return false
    reader.list(type, () => {
      if (chunks.length === footer.schema.length) throw new Damage('a row group has more columns than the schema')
      chunks.push(readChunk(reader))
    })
    return true
  })
  return chunks
}

function readElement(reader: ThriftReader): SchemaElement {
  let name: string | undefined
  let type: number | undefined
  let converted: number | undefined
  let logical: LogicalAnnotation | undefined
  const numbers: Record<number, number> = {}
  reader.structure((id, field) => {
    if (id === 1) type = reader.count(field)
    else if (id === 4) name = reader.text(field)
    else if (id === 6) converted = reader.count(field)
    else if (id === 10) logical = readLogical(reader)
    else if (id === 2 || id === 3 || id === 5 || id === 7 || id === 8) numbers[id] = reader.count(field)
    else return false
    return true
  })
  if (name === undefined) throw new Damage('a column of its schema has no name')
  const { 2: typeLength = 0, 3: repetition = 0, 5: children = 0, 7: scale = 0, 8: precision = 0 } = numbers
  return { name, type, typeLength, repetition, children, converted, scale, precision, logical }
}

/** A union: the one field that is set says which annotation it is. */
function readLogical(reader: ThriftReader): LogicalAnnotation | undefined {
  let found: LogicalAnnotation | undefined
  reader.structure((id) => {
    if (id === 5) found = { id, ...readDecimal(reader) }
    else if (id === 7 || id === 8) found = { id, ...readUnit(reader) }
    else if (id === 10) found = { id, ...readInteger(reader) }
    else {
      found = { id }
      return false
    }
    return true
  })
  return found
}

function readDecimal(reader: ThriftReader): { scale: number; precision: number } {
  const found = { scale: 0, precision: 0 }
  reader.structure((id, type) => {
    if (id === 1) found.scale = reader.count(type)
    else if (id === 2) found.precision = reader.count(type)
    else return false
    return true
  })
  return found
}

function readUnit(reader: ThriftReader): { unit: number; isUtc: boolean } {
  const found = { unit: 0, isUtc: false }
  reader.structure((id, type) => {
    if (id === 1) found.isUtc = reader.boolean(type)
    else if (id === 2) {
      reader.structure((which) => {
        found.unit = which
        return false
      })
    } else return false
    return true
  })
  return found
}

function readInteger(reader: ThriftReader): { bitWidth: number; isSigned: boolean } {
  const found = { bitWidth: 0, isSigned: true }
  reader.structure((id, type) => {
    if (id === 1) found.bitWidth = reader.count(type)
    else if (id === 2) found.isSigned = reader.boolean(type)
    else return false
    return true
  })
  return found
}

function readGroup(reader: ThriftReader, from: number): RowGroup {
  const { at } = reader
  let rows: number | undefined
  let bytes = 0
  reader.structure((id, type) => {
    if (id === 2) bytes = reader.count(type)
    else if (id === 3) rows = reader.count(type)
    else return false
    return true
  })
  if (rows === undefined) throw new Damage('a row group has no number of rows')
  return { from, rows, bytes, at }
}

function readChunk(reader: ThriftReader): ColumnChunk {
  let chunk: ColumnChunk | undefined
  reader.structure((id, type) => {
    if (id === 1 && reader.text(type) !== '') throw new Damage('a column is in another file, which is not supported')
    if (id === 8) throw new Damage('a column is encrypted, which is not supported')
    if (id === 3 && type === 12) chunk = readColumn(reader)
    return id === 1 || id === 3
  })
  if (chunk === undefined) throw new Damage('a column of a row group is not described')
  return chunk
}

function readColumn(reader: ThriftReader): ColumnChunk {
  const path: string[] = []
  const numbers: Record<number, number> = {}
  reader.structure((id: number, type: FieldType) => {
    if (id === 3) reader.list(type, (item) => void path.push(reader.text(item)))
    else if (id === 1 || (id >= 4 && id <= 7) || id === 9) numbers[id] = reader.count(type)
    else if (id === 11) numbers[id] = Math.max(0, reader.integer(type))
    else return false
    return true
  })
  const { 1: type, 4: codec, 5: values, 6: fullBytes = 0, 7: bytes, 9: dataAt, 11: dictionaryAt = 0 } = numbers
  const isWhole = type !== undefined && codec !== undefined && values !== undefined && bytes !== undefined
  if (!isWhole || dataAt === undefined) throw new Damage('a column of a row group is not described in full')
  // Some writers omit the offset of the dictionary, or write 0: it comes first then.
  const from = dictionaryAt > 0 && dictionaryAt < dataAt ? dictionaryAt : dataAt
  return { path, type, codec, values, from, bytes, fullBytes }
}
