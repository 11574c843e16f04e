// The format of web server logs: Apache's common and combined, nginx's default.

import { checkChoice, checkKeys } from '../../../base/check.ts'
import { anything, checkOptions } from '../../../base/options.ts'
import type { ColumnType } from '../../column.ts'
import { type LineFormat, type ParseLine, Rejection } from '../../format.ts'
import { TIME_OPTIONS, type TimeOptions, timeRules } from '../../kits/time/rules.ts'
import { type AccessForm, AccessLineReader, type AccessRequest } from './line.ts'
import { parseAccessFormat, TYPES } from './log-format.ts'
import { AccessFormatReader, type FormattedRequest } from './log-format-line.ts'
import { accessScan } from './scan.ts'

export type { AccessRequest } from './line.ts'
export type { FormattedRequest } from './log-format-line.ts'

export interface AccessLogOptions {
  /** Which lines are requests; `auto` by default. */
  readonly dialect?: 'auto' | 'common' | 'combined' | 'any'
}

/** For a log in a custom format. */
export interface AccessFormatOptions extends TimeOptions {
  /**
   * The format as written in the server's configuration, alone or with its directive: nginx's `log_format`, preceded by
   * `escape=none` if it says so, or Apache's `LogFormat`.
   */
  readonly format: string
}

/** The columns of {@link AccessRequest}, in its order. */
export const ACCESS_COLUMNS: Readonly<Record<keyof AccessRequest, ColumnType>> = {
  file: 'text',
  line: 'integer',
  offset: 'integer',
  host: 'text',
  ident: 'text',
  user: 'text',
  time: 'time',
  request: 'text',
  method: 'text',
  path: 'text',
  protocol: 'text',
  status: 'integer',
  bytes: 'integer',
  referer: 'text',
  agent: 'text',
  extra: 'json',
}

/**
 * Reads logs in a custom format, in the notation of the server that writes them.
 *
 * - **Fields** common to all formats are those of {@link AccessRequest}; the others have their own names:
 *   `request_time` and `upstream_addr` of nginx as they are called there, of Apache `vhost`, `port`, `duration_us`
 *   (`%D`), and headers as in `%{X-Forwarded-For}i`: `x_forwarded_for`. Numbers are numbers, or null for `-`; unknown
 *   fields are text.
 * - **A field ends** where the text that follows it in the format begins: a user or an address may contain spaces.
 * - **Rejects** a line that does not match the format, with a reason that says where.
 *
 * @throws {TypeError | RangeError} for an invalid format, immediately
 * @example
 * const format = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent $request_time'
 * const line = '::1 - Ann Lee [17/May/2015:10:05:03 +0200] "GET /a?b=1 HTTP/1.1" 404 12 0.25'
 * const origin = { source: 'a.log', line: 1, offset: 0, raw: line }
 * const request = accessLog({ format }).open(() => [])(line, origin) as FormattedRequest
 * [request.user, request.path, request.request_time, request.agent] // => ['Ann Lee', '/a', 0.25, null]
 */
export function accessLog(options: AccessFormatOptions): LineFormat<FormattedRequest>
/**
 * Reads the access logs of web servers: one request per line, in Apache's common or combined format. nginx writes
 * combined, and both append more quoted fields if configured to; those become `extra`.
 *
 * - **Values** are as written: backslash escapes and percent-encoding are kept. Times become epoch milliseconds, UTC.
 * - **Rejects** a line that does not match the grammar, with a reason that says where; also a nonexistent date, and a
 *   number of bytes that a JavaScript number cannot hold.
 * - **Dialects**: `combined` requires referer and agent, `common` requires their absence, `any` accepts both line by
 *   line. `auto` looks at the beginning of each file: if a line is combined, all must be, so that a line truncated
 *   after its bytes is rejected and not taken for a common one. If some lines are common and no line is combined, it is
 *   `any`.
 *
 * @throws {RangeError} if `dialect` is not one of these
 * @example
 * const line = '::1 - ada [17/May/2015:10:05:03 +0200] "GET /a?b=1 HTTP/1.1" 404 12 "-" "curl/8.5.0"'
 * const origin = { source: 'a.log', line: 1, offset: 0, raw: line }
 * const request = accessLog().open(() => [line])(line, origin) as AccessRequest
 * request.time // => 1431849903000
 * request.path // => '/a'
 * request.extra // => null
 */
export function accessLog(options?: AccessLogOptions): LineFormat<AccessRequest>
export function accessLog(
  options: AccessLogOptions | AccessFormatOptions = {},
): LineFormat<AccessRequest> | LineFormat<FormattedRequest> {
  if ('format' in options) return formatted(options)
  checkKeys('accessLog', options, ['dialect', 'format'])
  const dialect = options.dialect ?? 'auto'
  checkChoice('dialect', dialect, ['auto', 'common', 'combined', 'any'])
  return {
    name: 'access-log',
    columns: ACCESS_COLUMNS,
    hint: "if the server uses a custom format, specify it: accessLog({ format: '…' })",
    open: (head) => openReader(dialect === 'auto' ? formOf(head()) : dialect),
    scan: (head) => accessScan(dialect === 'auto' ? formOf(head()) : dialect),
  }
}

function formatted(options: AccessFormatOptions): LineFormat<FormattedRequest> {
  checkOptions('accessLog', options, { format: anything, ...TIME_OPTIONS })
  const format = parseAccessFormat(options.format)
  const rules = timeRules(options)
  const own: Record<string, ColumnType> = { ...ACCESS_COLUMNS }
  for (const part of format.parts) if (part.kind === 'field') own[part.name] = TYPES[part.as]
  const empty = Object.fromEntries(Object.keys(own).map((name) => [name, null]))
  return {
    name: 'access-log',
    columns: own,
    hint: 'the specified format may belong to another log',
    open: () => {
      const reader = new AccessFormatReader(format, rules, empty)
      return (text, origin) => reader.read(text, origin)
    },
  }
}

function openReader(form: AccessForm): ParseLine<AccessRequest> {
  const reader = new AccessLineReader(form)
  return (text, origin) => reader.read(text, origin)
}

/** The dialect of a file's lines, by its first ones; combined if nothing indicates another. */
function formOf(head: readonly string[]): AccessForm {
  const reader = new AccessLineReader('any')
  const origin = { source: '', line: 0, offset: 0, raw: '' }
  let form: AccessForm = 'combined'
  for (const text of head) {
    const request = reader.read(text, origin)
    if (request instanceof Rejection) continue
    if (request.agent !== null) return 'combined'
    form = 'any'
  }
  return form
}
