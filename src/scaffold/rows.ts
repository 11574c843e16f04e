// What events of a new project are: their type, what its flow does to them, and events for its test.

import { type Piece, plain } from './code.ts'

/** Events of one kind. */
export interface RowKind {
  /** The type of the events, and what declares or imports it. */
  readonly type: Piece
  /** Its fields that can be a key. */
  readonly fields: readonly string[]
  /** What the flow does to `rows`. */
  readonly flow: string
  /** Two events, of which the flow keeps the first. */
  readonly kept: string
  readonly dropped: string
}

/** Orders, by a key of any name: as files, tables and messages hold them. */
export function orders(key: string): RowKind {
  const event = (id: number, amount: number): string => `{ ${key}: ${id}, customer: 'Ann', amount: ${amount} }`
  return {
    type: {
      ...plain('Order'),
      before: [
        'export interface Order {',
        `  readonly ${key}: number | null`,
        '  readonly customer: string | null',
        '  readonly amount: number | null',
        '}\n',
      ].join('\n'),
    },
    fields: [key, 'customer', 'amount'],
    flow: `rows.where('amount', '>', 0)`,
    kept: event(1, 12.5),
    dropped: event(2, 0),
  }
}

const REQUEST = `host: '::1', ident: '-', user: '-', time: 0, request: 'GET / HTTP/1.1', method: 'GET', path: '/',
    protocol: 'HTTP/1.1', bytes: 12, referer: null, agent: null, extra: null, file: 'access.log', line: 1, offset: 0`

/** Requests of an access log. */
export const requests: RowKind = {
  type: { imports: { sluice: ['type AccessRequest'] }, code: 'AccessRequest' },
  fields: ['file', 'offset', 'line', 'host', 'time', 'path'],
  flow: `rows.where('status', '>=', 400)`,
  kept: `{ status: 404, ${REQUEST} }`,
  dropped: `{ status: 200, ${REQUEST} }`,
}

const MESSAGE = `facility: 4, time: 0, host: 'mail', procId: null, msgId: null, structuredData: null, text: 'hello'`

/** Syslog messages. */
export const messages: RowKind = {
  type: { imports: { sluice: ['type SyslogMessage'] }, code: 'SyslogMessage' },
  fields: ['time', 'host', 'app', 'text'],
  flow: `rows.where('app', 'is not', null)`,
  kept: `{ app: 'sshd', severity: 2, ${MESSAGE} }`,
  dropped: `{ app: null, severity: 6, ${MESSAGE} }`,
}

/** Lines of text. */
export const texts: RowKind = {
  type: { imports: { sluice: ['type TextRow'] }, code: 'TextRow' },
  fields: ['text'],
  flow: `rows.filter(({ text }) => text.includes('error'))`,
  kept: `{ text: 'an error' }`,
  dropped: `{ text: 'all is well' }`,
}
