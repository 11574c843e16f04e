// Reads many plain lines of an access log at once: the grammar of `line.ts`, for lines that it accepts.

import { type FieldVector, lazyField } from '../../column-batch.ts'
import { rowsMaker } from '../../kits/rows/rows-maker.ts'
import { endOfQuoted } from '../../kits/text/quoted.ts'
import { copyOf, endOfScan, type Scan, type Scanned, type ScanPlace } from '../../scan.ts'
import { TextField, wholeText } from '../../text-field.ts'
import { TextTable } from '../../text-table.ts'
import type { Vector } from '../../vector.ts'
import { type AccessForm, type AccessRequest, endOfWord, isQuoteAt, isWord, readBytes, readStatus } from './line.ts'
import { endOfMethod, endOfPath, isTarget, startOfProtocol } from './request-line.ts'
import { AccessTimes, TIME_LENGTH } from './time.ts'

const CR = 0x0d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** Where the bounds of fields are, among those of a line; each ends before the byte in front of the next bound. */
const PLACES = { host: 0, ident: 1, user: 2, request: 4, referer: 6, agent: 8 } as const
const STRIDE = 10
/** The same of the parts of a request. */
const PARTS = { method: 0, path: 2, protocol: 4 } as const
const PARTS_STRIDE = 6

const NAMES = [
  ...['file', 'line', 'offset', 'host', 'ident', 'user', 'time', 'request', 'method', 'path', 'protocol'],
  ...['status', 'bytes', 'referer', 'agent', 'extra'],
]

/** What was found in lines. */
interface Lines {
  count: number
  isAtOdd: boolean
  readonly bounds: Int32Array
  readonly times: Float64Array
  readonly statuses: Float64Array
  readonly sizes: Float64Array
  /** 1 where the log has `-`. */
  noSizes: Uint8Array | undefined
}

/** A reader of plain lines: all but those with further fields after the agent. */
export function accessScan(form: AccessForm): Scan<AccessRequest> {
  const times = new AccessTimes()
  const make = rowsMaker(NAMES)
  const tables = new Map([...Object.keys(PLACES), ...Object.keys(PARTS)].map((name) => [name, new TextTable()]))
  return {
    odd: [CR],
    read(bytes, from, to, max, place): Scanned<AccessRequest> {
      const end = endOfScan(bytes, from, to)
      const text = bytes.toString('latin1', from, end)
      const lines = scanLines(text, max, form, times)
      const startOf = (index: number): number => lines.bounds[index * STRIDE] as number
      const copy = copyOf(bytes, from, from + startOf(lines.count))
      const whole = wholeText(copy, text)
      const fields = fieldsOf(lines, { bytes: copy, text, whole }, tables, place)
      return {
        count: lines.count,
        isAtOdd: lines.isAtOdd || end === from,
        startOf,
        lineGap: 1,
        bytes: copy,
        whole,
        fields,
        make: make as unknown as Scanned<AccessRequest>['make'],
      }
    },
  }
}

function scanLines(text: string, max: number, form: AccessForm, times: AccessTimes): Lines {
  const most = Math.min(max, Math.ceil(text.length / 40))
  const lines: Lines = {
    count: 0,
    isAtOdd: false,
    bounds: new Int32Array(most * STRIDE + 1),
    times: new Float64Array(most),
    statuses: new Float64Array(most),
    sizes: new Float64Array(most),
    noSizes: undefined,
  }
  let at = 0
  while (lines.count < most) {
    const to = text.indexOf('\n', at)
    if (to === -1) break
    if (!scanLine(text, at, to, lines, form, times)) {
      lines.isAtOdd = true
      break
    }
    lines.count += 1
    at = to + 1
    lines.bounds[lines.count * STRIDE] = at
  }
  return lines
}

/** Notes where the fields of a line are; false for one that is not plain. */
function scanLine(text: string, from: number, to: number, lines: Lines, form: AccessForm, times: AccessTimes): boolean {
  const { count, bounds } = lines
  const first = count * STRIDE
  const hostTo = endOfWord(text, from)
  if (!isWord(text, from, hostTo)) return false
  const identTo = endOfWord(text, hostTo + 1)
  if (!isWord(text, hostTo + 1, identTo)) return false
  const userTo = endOfWord(text, identTo + 1)
  if (!isWord(text, identTo + 1, userTo) || text.charCodeAt(userTo + 1) !== OPEN_BRACKET) return false
  const time = times.read(text, userTo + 2)
  const timeTo = userTo + 2 + TIME_LENGTH
  if (Number.isNaN(time) || text.charCodeAt(timeTo) !== CLOSE_BRACKET || !isQuoteAt(text, timeTo + 1)) return false
  const requestAt = timeTo + 3
  const requestTo = endOfQuoted(text, requestAt)
  if (requestTo === -1 || requestTo > to) return false
  const status = readStatus(text, requestTo + 1)
  const sizeTo = endOfWord(text, requestTo + 6)
  const size = readBytes(text, requestTo + 6, sizeTo)
  if (status === -1 || size === undefined || (size !== null && size > Number.MAX_SAFE_INTEGER) || sizeTo > to)
    return false
  if (!scanRest(text, sizeTo, to, bounds, first + PLACES.referer, form)) return false
  bounds[first + PLACES.ident] = hostTo + 1
  bounds[first + PLACES.user] = identTo + 1
  bounds[first + PLACES.user + 1] = userTo + 1
  bounds[first + PLACES.request] = requestAt
  bounds[first + PLACES.request + 1] = requestTo + 1
  lines.times[count] = time
  lines.statuses[count] = status
  lines.sizes[count] = size ?? 0
  if (size === null) {
    lines.noSizes ??= new Uint8Array(lines.sizes.length)
    lines.noSizes[count] = 1
  }
  return true
}

/** Referer and agent, or nothing, up to the line's end. */
function scanRest(text: string, at: number, to: number, bounds: Int32Array, place: number, form: AccessForm): boolean {
  if (at === to) {
    bounds[place] = -1
    bounds[place + 2] = -1
    return form !== 'combined'
  }
  if (form === 'common' || !isQuoteAt(text, at)) return false
  const refererTo = endOfQuoted(text, at + 2)
  if (refererTo === -1 || refererTo > to || !isQuoteAt(text, refererTo + 1)) return false
  const agentTo = endOfQuoted(text, refererTo + 3)
  bounds[place] = at + 2
  bounds[place + 1] = refererTo + 1
  bounds[place + 2] = refererTo + 3
  bounds[place + 3] = agentTo + 1
  return agentTo + 1 === to
}

function fieldsOf(
  lines: Lines,
  { bytes, text, whole }: { readonly bytes: Buffer; readonly text: string; readonly whole: () => string | undefined },
  tables: ReadonlyMap<string, TextTable>,
  { source, line, offset }: ScanPlace,
): Map<string, FieldVector> {
  const { count, bounds, noSizes } = lines
  const textOf = (name: string, own: Int32Array, stride: number, place: number): FieldVector => {
    const spans = { bytes, bounds: own, stride, place, gap: 1, count, isEmptyNull: false }
    return new TextField(spans, tables.get(name) as TextTable, whole)
  }
  let parts: Int32Array | undefined
  const part = (name: keyof typeof PARTS): FieldVector => {
    let field: FieldVector | undefined
    const made = (): FieldVector => {
      parts ??= scanParts(text, bounds, count)
      field ??= textOf(name, parts, PARTS_STRIDE, PARTS[name])
      return field
    }
    return { vector: () => made().vector(), values: () => made().values() }
  }
  const span = (name: keyof typeof PLACES): FieldVector => textOf(name, bounds, STRIDE, PLACES[name])
  const numbers = (values: Float64Array, nulls?: Uint8Array): FieldVector =>
    lazyField(() => ({ kind: 'numbers', values: values.subarray(0, count), nulls: nulls?.subarray(0, count) }))
  const fields: Record<string, FieldVector> = {
    file: lazyField((): Vector => ({ kind: 'symbols', symbols: new Int32Array(count), texts: [source] })),
    line: lazyField(() => linesFrom(typeof line === 'number' ? line : line(), count)),
    offset: lazyField(() => offsetsFrom(offset, bounds, count)),
    host: span('host'),
    ident: span('ident'),
    user: span('user'),
    time: numbers(lines.times),
    request: span('request'),
    method: part('method'),
    path: part('path'),
    protocol: part('protocol'),
    status: numbers(lines.statuses),
    bytes: numbers(lines.sizes, noSizes),
    referer: span('referer'),
    agent: span('agent'),
    extra: lazyField(() => ({ kind: 'values', values: new Array(count).fill(null) })),
  }
  return new Map(NAMES.map((name) => [name, fields[name] as FieldVector]))
}

/** The bounds of the parts of all requests. */
function scanParts(text: string, lines: Int32Array, count: number): Int32Array {
  const bounds = new Int32Array(count * PARTS_STRIDE)
  for (let i = 0; i < count; i += 1) {
    const from = lines[i * STRIDE + PLACES.request] as number
    const to = (lines[i * STRIDE + PLACES.request + 1] as number) - 1
    const methodTo = endOfMethod(text, from, to)
    const protocolAt = startOfProtocol(text, methodTo + 1, to)
    const isFormed = methodTo > from && isTarget(text, methodTo + 1, protocolAt, to)
    const at = i * PARTS_STRIDE
    bounds[at] = isFormed ? from : -1
    bounds[at + 1] = methodTo + 1
    bounds[at + 2] = isFormed ? methodTo + 1 : -1
    bounds[at + 3] = isFormed ? endOfPath(text, methodTo + 1, protocolAt, to) + 1 : 0
    bounds[at + 4] = isFormed && protocolAt < to ? protocolAt : -1
    bounds[at + 5] = to + 1
  }
  return bounds
}

function linesFrom(first: number, count: number): Vector {
  const values = new Float64Array(count)
  for (let i = 0; i < count; i += 1) values[i] = first + i
  return { kind: 'numbers', values, nulls: undefined }
}

function offsetsFrom(first: number, bounds: Int32Array, count: number): Vector {
  const values = new Float64Array(count)
  for (let i = 0; i < count; i += 1) values[i] = first + (bounds[i * STRIDE] as number)
  return { kind: 'numbers', values, nulls: undefined }
}
