// The configured formats of web server logs: nginx's log_format, Apache's LogFormat.

import { describeValue } from '../../../base/check.ts'
import type { ColumnType } from '../../column.ts'

/** What a field's text is converted to. */
export type FieldKind =
  | 'text'
  | 'word'
  | 'list'
  | 'integer'
  | 'real'
  | 'status'
  | 'bytes'
  | 'request'
  | 'log-time'
  | 'iso'
  | 's'
  | 'ms'
  | 'us'

/** A field of a line, or text between fields. */
export type Part =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'field'; readonly name: string; readonly as: FieldKind }

/** A parsed format. */
export interface AccessFormat {
  readonly parts: readonly Part[]
  /** Whether a backslash escapes a quote within quotes. */
  readonly isEscaped: boolean
}

type Variables = Readonly<Record<string, readonly [name: string, as: FieldKind]>>

const NGINX: Variables = {
  remote_addr: ['host', 'list'],
  remote_user: ['user', 'text'],
  time_local: ['time', 'log-time'],
  time_iso8601: ['time', 'iso'],
  msec: ['time', 's'],
  request: ['request', 'request'],
  status: ['status', 'status'],
  body_bytes_sent: ['bytes', 'bytes'],
  http_referer: ['referer', 'text'],
  http_user_agent: ['agent', 'text'],
  bytes_sent: ['bytes_sent', 'integer'],
  request_length: ['request_length', 'integer'],
  request_time: ['request_time', 'real'],
  connection: ['connection', 'integer'],
  connection_requests: ['connection_requests', 'integer'],
  server_port: ['server_port', 'integer'],
  remote_port: ['remote_port', 'integer'],
}

const APACHE: Variables = {
  h: ['host', 'list'],
  a: ['client', 'list'],
  A: ['local_addr', 'word'],
  l: ['ident', 'word'],
  u: ['user', 'text'],
  r: ['request', 'request'],
  s: ['status', 'status'],
  b: ['bytes', 'bytes'],
  B: ['bytes', 'bytes'],
  O: ['bytes_sent', 'integer'],
  I: ['bytes_received', 'integer'],
  S: ['bytes_transferred', 'integer'],
  D: ['duration_us', 'integer'],
  T: ['duration_s', 'real'],
  k: ['keepalive_requests', 'integer'],
  p: ['port', 'integer'],
  P: ['pid', 'integer'],
  v: ['vhost', 'word'],
  V: ['server_name', 'word'],
  m: ['request_method', 'word'],
  U: ['url_path', 'text'],
  q: ['query', 'text'],
  H: ['request_protocol', 'word'],
  f: ['filename', 'text'],
  L: ['log_id', 'word'],
  R: ['handler', 'word'],
  X: ['connection_status', 'word'],
}

/** What a letter after braces names: `%{Referer}i`. */
const NAMED: Readonly<Record<string, string>> = { i: '', o: 'out_', C: 'cookie_', e: 'env_', n: 'note_' }

/** The types of the fields' columns. */
export const TYPES: Readonly<Record<FieldKind, ColumnType>> = {
  text: 'text',
  word: 'text',
  list: 'text',
  integer: 'integer',
  real: 'real',
  status: 'integer',
  bytes: 'integer',
  request: 'text',
  'log-time': 'time',
  iso: 'time',
  s: 'time',
  ms: 'time',
  us: 'time',
}

/**
 * Parses a format as written in a configuration: only the format, or the whole directive.
 *
 * @throws {TypeError | RangeError} for a format that lines cannot be parsed by
 */
export function parseAccessFormat(format: unknown): AccessFormat {
  if (typeof format !== 'string' || format.trim() === '')
    throw new TypeError(`format must be a log_format of nginx or a LogFormat of Apache: found ${describeValue(format)}`)
  const { text, isEscaped } = formatIn(format.trim())
  const isApache = /%[<>!\d,]*(?:\{|[A-Za-z])/.test(text) && !/\$[{a-z]/.test(text)
  const parts = joined(isApache ? apacheParts(text) : nginxParts(text))
  const fields = parts.filter((part) => part.kind === 'field')
  if (fields.length === 0) throw refused(format, 'names no field, such as $remote_addr or %h')
  const names = fields.map(({ name }) => name)
  const twice = names.find((name, place) => names.indexOf(name) !== place)
  if (twice !== undefined) throw refused(format, `says ${twice} twice`)
  for (const [place, part] of parts.entries()) {
    const next = parts[place + 1]
    if (part.kind === 'field' && next?.kind === 'field')
      throw refused(format, `has nothing between ${part.name} and ${next.name}`)
  }
  return { parts, isEscaped }
}

function refused(format: string, why: string): RangeError {
  return new RangeError(`the format ${describeValue(format)} ${why}`)
}

/** The format in a directive, without the rest. */
function formatIn(format: string): { text: string; isEscaped: boolean } {
  const apache = /^(?:LogFormat|CustomLog\s+\S+)\s+"((?:[^"\\]|\\.)*)"/i.exec(format)
  if (apache !== null) return { text: (apache[1] as string).replace(/\\(.)/g, '$1'), isEscaped: true }
  const nginx = /^log_format\s+\S+\s+([\s\S]*?);?$/.exec(format)
  const [, escaping, rest = ''] = /^(?:escape=(\w+)\s+)?([\s\S]*)$/.exec(nginx?.[1] ?? format) ?? []
  if (escaping === 'json') throw refused(format, 'writes JSON: read it with ndjsonSource()')
  const quoted = nginx === null ? undefined : rest.match(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g)
  const text = quoted === undefined || quoted === null ? rest : quoted.map((one) => one.slice(1, -1)).join('')
  return { text, isEscaped: escaping !== 'none' }
}

function nginxParts(text: string): Part[] {
  const parts: Part[] = []
  for (const [token, braced, bare] of text.matchAll(/\$\{(\w+)\}|\$(\w+)|[^$]+|\$/g)) {
    const variable = braced ?? bare
    if (variable === undefined) parts.push({ kind: 'literal', text: token })
    else {
      const isList =
        variable.startsWith('upstream_') ||
        variable.startsWith('http_x_forwarded') ||
        variable === 'proxy_add_x_forwarded_for'
      const [name, as] = Object.hasOwn(NGINX, variable)
        ? (NGINX[variable] as Variables[string])
        : [variable, isList ? ('list' as const) : ('text' as const)]
      parts.push({ kind: 'field', name, as })
    }
  }
  return parts
}

function apacheParts(text: string): Part[] {
  const parts: Part[] = []
  for (const [token, braced, letter] of text.matchAll(/%[<>!\d,]*(?:\{([^}]*)\})?([A-Za-z%]|\^[A-Z]{2})|[^%]+|%/g)) {
    if (letter === '%') parts.push({ kind: 'literal', text: '%' })
    else if (letter === undefined) {
      if (token === '%') throw refused(text, 'has a % that names nothing')
      parts.push({ kind: 'literal', text: token })
    } else if (letter === 't') parts.push(...timeParts(text, braced))
    else parts.push({ kind: 'field', ...apacheField(text, letter, braced) })
  }
  return parts
}

function timeParts(format: string, form: string | undefined): Part[] {
  if (form === undefined) {
    const time: Part = { kind: 'field', name: 'time', as: 'log-time' }
    return [{ kind: 'literal', text: '[' }, time, { kind: 'literal', text: ']' }]
  }
  const as = ({ sec: 's', msec: 'ms', usec: 'us', '%Y-%m-%dT%H:%M:%S%z': 'iso' } as const)[form]
  if (as === undefined) throw refused(format, `has the time %{${form}}t: it takes %t, %{sec}t, %{msec}t and %{usec}t`)
  return [{ kind: 'field', name: 'time', as }]
}

function apacheField(format: string, letter: string, braced: string | undefined): { name: string; as: FieldKind } {
  if (braced !== undefined && Object.hasOwn(NAMED, letter)) {
    const header = braced.toLowerCase().replace(/[^a-z0-9]+/g, '_')
    if (letter === 'i' && header === 'referer') return { name: 'referer', as: 'text' }
    if (letter === 'i' && header === 'user_agent') return { name: 'agent', as: 'text' }
    return { name: `${NAMED[letter]}${header}`, as: header.startsWith('x_forwarded') ? 'list' : 'text' }
  }
  if (braced !== undefined && letter === 'T') return { name: `duration_${braced}`, as: 'integer' }
  const known = Object.hasOwn(APACHE, letter) ? APACHE[letter] : undefined
  if (known !== undefined) return { name: known[0], as: known[1] }
  if (letter.startsWith('^')) return { name: letter.slice(1).toLowerCase(), as: 'word' }
  throw refused(format, `has %${letter}, which is unknown`)
}

/** Adjacent literals are one. */
function joined(parts: readonly Part[]): Part[] {
  const all: Part[] = []
  for (const part of parts) {
    const last = all.at(-1)
    if (part.kind === 'literal' && last?.kind === 'literal')
      all[all.length - 1] = { kind: 'literal', text: last.text + part.text }
    else all.push(part)
  }
  return all
}
