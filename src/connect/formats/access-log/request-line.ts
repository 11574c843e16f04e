// The parts of a logged request line: `GET /path?query HTTP/1.1`.

const SPACE = 0x20
const SLASH = 0x2f
const QUESTION_MARK = 0x3f

/**
 * Where the method that begins at `from` ends, or `from` if there is no method.
 *
 * A method is capital letters, and digits, `-` and `_` after the first, followed by one space: `GET`, `M-SEARCH`.
 */
export function endOfMethod(text: string, from: number, to: number): number {
  let at = from
  while (at < to && isMethodCharacter(text.charCodeAt(at), at === from)) at += 1
  return at < to && text.charCodeAt(at) === SPACE ? at : from
}

/**
 * Where the protocol that ends at `to` begins (`HTTP/1.1`, `RTSP/1.0`, `HTTP/2`), or `to` if there is no protocol. A
 * space precedes it.
 */
export function startOfProtocol(text: string, from: number, to: number): number {
  let at = to
  while (at > from && isVersionCharacter(text.charCodeAt(at - 1))) at -= 1
  if (at === to || !isDigit(text.charCodeAt(at)) || text.charCodeAt(at - 1) !== 0x2f) return to
  const slash = at - 1
  at = slash
  while (at > from && isCapital(text.charCodeAt(at - 1))) at -= 1
  return at < slash && at > from && text.charCodeAt(at - 1) === SPACE ? at : to
}

/** Whether a request's target is valid: without a protocol, as in the oldest browsers' requests, it must be a path. */
export function isTarget(text: string, from: number, protocolAt: number, to: number): boolean {
  return protocolAt < to ? protocolAt - 1 > from : text.charCodeAt(from) === SLASH
}

/** Where a request's target up to its first `?` ends. */
export function endOfPath(text: string, from: number, protocolAt: number, to: number): number {
  const targetTo = protocolAt < to ? protocolAt - 1 : to
  for (let at = from; at < targetTo; at += 1) if (text.charCodeAt(at) === QUESTION_MARK) return at
  return targetTo
}

/** Method, path and protocol of a request line; null unless it is `METHOD target PROTOCOL` or `METHOD /target`. */
export function partsOfRequest(text: string): { method: string | null; path: string | null; protocol: string | null } {
  const to = text.length
  const methodTo = endOfMethod(text, 0, to)
  const protocolAt = startOfProtocol(text, methodTo + 1, to)
  if (methodTo === 0 || !isTarget(text, methodTo + 1, protocolAt, to))
    return { method: null, path: null, protocol: null }
  const protocol = protocolAt < to ? text.slice(protocolAt) : null
  return {
    method: text.slice(0, methodTo),
    path: text.slice(methodTo + 1, endOfPath(text, methodTo + 1, protocolAt, to)),
    protocol,
  }
}

function isMethodCharacter(code: number, isFirst: boolean): boolean {
  return isCapital(code) || (!isFirst && (isDigit(code) || code === 0x2d || code === 0x5f))
}

function isVersionCharacter(code: number): boolean {
  return isDigit(code) || code === 0x2e
}

function isCapital(code: number): boolean {
  return code >= 0x41 && code <= 0x5a
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}
