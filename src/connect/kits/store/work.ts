// Database work without I/O: a generator yields each statement and receives its result.

export type SqlValue = string | number | Uint8Array | null
export type SqlRow = Readonly<Record<string, unknown>>

/** One statement, with a value for each of its parameters. */
export interface Statement {
  readonly sql: string
  readonly values: readonly SqlValue[]
  /** Whether its rows are wanted, or the number of rows changed. */
  readonly isQuery: boolean
}

export interface Answer {
  readonly rows: readonly SqlRow[]
  /** How many rows were changed. */
  readonly changes: number
}

/**
 * What is done to a database, statement by statement. For a synchronous database {@link runSync} runs it to its end, so
 * that nothing comes in between; {@link runAsync} awaits each statement.
 */
export type Work<T> = Generator<Statement, T, Answer>

/** The rows of a query. */
export function* all(sql: string, values: readonly SqlValue[] = []): Work<readonly SqlRow[]> {
  return (yield { sql, values, isQuery: true }).rows
}

/** Runs a statement; returns how many rows it changed. */
export function* run(sql: string, values: readonly SqlValue[] = []): Work<number> {
  return (yield { sql, values, isQuery: false }).changes
}

export function runSync<T>(work: Work<T>, execute: (statement: Statement) => Answer): T {
  let next = work.next()
  while (next.done !== true) {
    let answer: Answer
    try {
      answer = execute(next.value)
    } catch (error) {
      next = work.throw(error)
      continue
    }
    next = work.next(answer)
  }
  return next.value
}

export async function runAsync<T>(work: Work<T>, execute: (statement: Statement) => Promise<Answer>): Promise<T> {
  let next = work.next()
  while (next.done !== true) {
    const asked: Promise<Answer> = execute(next.value)
    next = await asked.then(
      (answer) => work.next(answer),
      (error: unknown) => work.throw(error),
    )
  }
  return next.value
}

/** An integer as databases return it (a bigint, or digits), as a number; unchanged if a number cannot hold it. */
export function plainNumber(value: unknown): unknown {
  if (typeof value !== 'bigint' && !(typeof value === 'string' && /^-?\d+$/.test(value))) return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** A row with plain numbers, and with bytes instead of a database's own objects. */
export function plainRow(row: SqlRow): SqlRow {
  const plain = (value: unknown): unknown => {
    if (typeof value === 'bigint') return plainNumber(value)
    const bytes = (value as { readonly bytes?: unknown } | null)?.bytes
    return bytes instanceof Uint8Array ? bytes : value
  }
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]))
}
