// What events of a new project are: their type, what its flow does to them, and events for its test.

/** Events of one kind. */
export interface RowKind {
  /** The fields that can be a key. */
  readonly fields: readonly string[]
  /** What the flow does to `rows`. */
  readonly flow: string
  /** Two events, of which the flow keeps the first. */
  readonly kept: string
  readonly dropped: string
}

/** Orders, by a key of any name: as files, tables and messages hold them. */
export function orders(key: string): RowKind {
  const order = (id: number, customer: string, amount: number): string =>
    `{ ${key}: ${id}, customer: '${customer}', amount: ${amount} }`
  return {
    fields: [key, 'customer', 'amount'],
    flow: `rows.where('amount', '>', 0)`,
    kept: order(1, 'Ann', 12.5),
    dropped: order(2, 'Ben', 0),
  }
}

/** The type of {@link orders}, for sources that cannot know it. */
export function orderType(key: string): string {
  const fields = [`${key}: number`, 'customer: string', 'amount: number']
  return ['interface Order {', ...fields.map((field) => `  readonly ${field}`), '}\n'].join('\n')
}

/** Requests of an access log. */
export const requests: RowKind = {
  fields: ['file', 'offset', 'line', 'host', 'time', 'path'],
  flow: `rows.where('status', '>=', 400)`,
  kept: `{ path: '/missing', status: 404 }`,
  dropped: `{ path: '/', status: 200 }`,
}

/** Syslog messages. */
export const messages: RowKind = {
  fields: ['time', 'host', 'app', 'text'],
  flow: `rows.where('app', 'is not', null)`,
  kept: `{ app: 'sshd', text: 'Accepted publickey for ann' }`,
  dropped: `{ app: null, text: 'session opened' }`,
}

/** Lines of text. */
export const texts: RowKind = {
  fields: ['text'],
  flow: `rows.filter(({ text }) => text.includes('error'))`,
  kept: `{ text: 'an error' }`,
  dropped: `{ text: 'all is well' }`,
}
