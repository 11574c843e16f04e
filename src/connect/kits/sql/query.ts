// A user's query as part of another one: without the semicolon and the comments after it.

/** A word, a text, a name or a comment: a semicolon in it ends nothing. Unclosed ones extend to the end. */
const TOKENS =
  /--[^\n]*|\/\*|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`(?:[^`]|``)*(?:`|$)|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|\[|;|[\w$\u0080-\uffff]+|\s+|[\s\S]/gu

export interface SqlDialect {
  /** Whether comments nest. */
  readonly nestsComments?: boolean
  /** Whether `$$` and `$name$` begin a text, and `e'` one with backslashes. */
  readonly hasDollars?: boolean
  /** Whether `[` begins a name. */
  readonly hasBrackets?: boolean
}

export interface SqlQuery {
  /** The first statement, without what follows its last word. */
  readonly text: string
  /** Whether another statement follows. */
  readonly hasMore: boolean
}

/**
 * Removes what follows a statement: semicolons, white space and comments.
 *
 * @example
 * trimQuery("select ';' as a; -- all", {}) // => { text: "select ';' as a", hasMore: false }
 * trimQuery('select 1; select 2', {}).hasMore // => true
 */
export function trimQuery(sql: string, dialect: SqlDialect): SqlQuery {
  /** Where the last word of the statement ends. */
  let end = 0
  let isOver = false
  for (let at = 0; at < sql.length; ) {
    const { to, kind } = nextToken(sql, at, dialect)
    if (kind === 'end') isOver = true
    else if (kind === 'word') {
      if (isOver) return { text: sql.slice(0, end), hasMore: true }
      end = to
    }
    at = to
  }
  return { text: sql.slice(0, end), hasMore: false }
}

interface Token {
  readonly to: number
  /** White space counts as a comment. */
  readonly kind: 'word' | 'blank' | 'end'
}

function nextToken(sql: string, at: number, { nestsComments, hasDollars, hasBrackets }: SqlDialect): Token {
  TOKENS.lastIndex = at
  const found = TOKENS.exec(sql)?.[0] ?? ''
  const to = at + found.length
  if (found === ';') return { to, kind: 'end' }
  if (found.startsWith('--') || found.trim() === '') return { to, kind: 'blank' }
  if (found === '/*') return { to: endOfComment(sql, to, nestsComments === true), kind: 'blank' }
  if (found === '[' && hasBrackets === true) return { to: endAfter(sql, ']', to), kind: 'word' }
  if (hasDollars === true) {
    if (found.startsWith('$') && found.endsWith('$') && found.length > 1) {
      return { to: endAfter(sql, found, to), kind: 'word' }
    }
    if (/^e$/i.test(found) && sql[to] === "'") {
      const text = /'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)/uy
      text.lastIndex = to
      return { to: to + (text.exec(sql)?.[0].length ?? sql.length), kind: 'word' }
    }
  }
  return { to, kind: 'word' }
}

function endAfter(sql: string, closer: string, from: number): number {
  const at = sql.indexOf(closer, from)
  return at === -1 ? sql.length : at + closer.length
}

function endOfComment(sql: string, from: number, isNesting: boolean): number {
  let depth = 1
  const marks = /\/\*|\*\//g
  marks.lastIndex = from
  for (let mark = marks.exec(sql); mark !== null; mark = marks.exec(sql)) {
    if (mark[0] === '*/') depth -= 1
    else if (isNesting) depth += 1
    if (depth === 0) return marks.lastIndex
  }
  return sql.length
}
