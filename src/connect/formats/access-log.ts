// The format of web server logs: Apache's common and combined, nginx's default.

import { checkChoice, checkKeys } from '../../base/check.ts'
import type { ColumnType } from '../column.ts'
import { type LineFormat, type ParseLine, Rejection } from '../format.ts'
import { type AccessForm, AccessLineReader, type AccessRequest } from './access-line.ts'

export type { AccessRequest } from './access-line.ts'

export interface AccessLogOptions {
  /** Which lines are requests; `auto` by default. */
  readonly dialect?: 'auto' | 'common' | 'combined' | 'any'
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
 * Reads the access logs of web servers: one request a line, in Apache's common or combined format. nginx writes
 * combined, and both write more quoted fields behind it if they are told to; those become `extra`.
 *
 * - **Values** are as written: backslash escapes and percent-encoding stay. Times become epoch milliseconds, UTC.
 * - **Refuses** a line that is not of the grammar, with a reason that says where; also a date that does not exist and
 *   a number of bytes that a JavaScript number cannot hold.
 * - **Dialects**: `combined` wants referer and agent, `common` wants neither, `any` takes both line by line. `auto`
 *   looks at the beginning of each file: where a line is combined, all must be, so that a line which was cut off
 *   behind its bytes is refused and not taken for a common one. Where some lines are common and none is combined, it
 *   is `any`.
 *
 * @throws {RangeError} if `dialect` is none of these
 * @example
 * const line = '::1 - ada [17/May/2015:10:05:03 +0200] "GET /a?b=1 HTTP/1.1" 404 12 "-" "curl/8.5.0"'
 * const origin = { source: 'a.log', line: 1, offset: 0, raw: line }
 * const request = accessLog().open([line])(line, origin) as AccessRequest
 * request.time // => 1431849903000
 * request.path // => '/a'
 * request.extra // => null
 */
export function accessLog(options: AccessLogOptions = {}): LineFormat<AccessRequest> {
  checkKeys('accessLog', options, ['dialect'])
  const dialect = options.dialect ?? 'auto'
  checkChoice('dialect', dialect, ['auto', 'common', 'combined', 'any'])
  return {
    name: 'access-log',
    columns: ACCESS_COLUMNS,
    open: (head) => openReader(dialect === 'auto' ? formOf(head) : dialect),
  }
}

function openReader(form: AccessForm): ParseLine<AccessRequest> {
  const reader = new AccessLineReader(form)
  return (text, origin) => reader.read(text, origin)
}

/** What a file's lines must be, by its first ones; combined where nothing speaks for another. */
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
