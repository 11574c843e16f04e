// Work on a database without I/O: a generator yields each statement and gets back what it gave.

export type SqlValue = string | number | Uint8Array | null
export type SqlRow = Readonly<Record<string, unknown>>

/** One statement, with a value for each of its parameters. */
export interface Statement {
  readonly sql: string
  readonly values: readonly SqlValue[]
  /** Whether its rows are wanted, or how many rows it changed. */
  readonly isQuery: boolean
}

export interface Answer {
  readonly rows: readonly SqlRow[]
  /** How many rows were changed. */
  readonly changes: number
}

/**
 * What is done to a database, statement by statement. A database that answers at once runs it to its end with
 * {@link runSync}, so that nothing comes in between; {@link runAsync} waits for each statement.
 */
export type Work<T> = Generator<Statement, T, Answer>

/** The rows of a query. */
export function* all(sql: string, values: readonly SqlValue[] = []): Work<readonly SqlRow[]> {
  return (yield { sql, values, isQuery: true }).rows
}

/** Runs a statement; gives how many rows it changed. */
export function* run(sql: string, values: readonly SqlValue[] = []): Work<number> {
  return (yield { sql, values, isQuery: false }).changes
}

export function runSync<T>(work: Work<T>, execute: (statement: Statement) => Answer): T {
  let next = work.next()
  while (next.done !== true) next = answered(work, next.value, execute)
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

function answered<T>(
  work: Work<T>,
  statement: Statement,
  execute: (statement: Statement) => Answer,
): IteratorResult<Statement, T> {
  let answer: Answer
  try {
    answer = execute(statement)
  } catch (error) {
    return work.throw(error)
  }
  return work.next(answer)
}

/** A whole number as databases give it (a bigint, or digits); what no number holds stays as it is. */
export function plainNumber(value: unknown): unknown {
  if (typeof value !== 'bigint' && !(typeof value === 'string' && /^-?\d+$/.test(value))) return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
