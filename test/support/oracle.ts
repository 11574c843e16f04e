// What must be in a table of requests, whatever happened on the way: rows as bytes, and one digest over all of them.

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface TableState {
  readonly rows: number
  readonly dead: number
  /** SHA-256 over all rows as they were written in the log, sorted bytewise, repeats kept. */
  readonly rowDigest: string
  /** SHA-256 over both tables with every column but times of loading: two loads of the same input agree. */
  readonly fullDigest: string
}

/** The state of a database that `examples/access-log.ts` has filled. */
export function tableState(path: string, where = 'true'): TableState {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const rows = db.prepare(`SELECT * FROM requests WHERE ${where}`).all() as unknown as Row[]
    const lines = rows.map((row) => Buffer.from(rowText(row)))
    const letters = db.prepare('SELECT file, line, "offset", step, reason, raw FROM dead_letters').all()
    return {
      rows: rows.length,
      dead: letters.length,
      rowDigest: digestOf(lines),
      fullDigest: digestOf([...rows, ...letters].map((row) => Buffer.from(`${JSON.stringify(Object.values(row))}\n`))),
    }
  } finally {
    db.close()
  }
}

interface Row {
  readonly host: string
  readonly ident: string
  readonly user: string
  readonly time: number
  readonly request: string
  readonly status: number
  readonly bytes: number | null
}

function rowText({ host, ident, user, time, request, status, bytes }: Row): string {
  const utc = new Date(time).toISOString().replace('.000Z', 'Z')
  return `${[host, ident, user, utc, status, bytes ?? '-', request].join('\t')}\n`
}

function digestOf(lines: readonly Buffer[]): string {
  const hash = createHash('sha256')
  for (const line of [...lines].sort(Buffer.compare)) hash.update(line)
  return hash.digest('hex')
}

/** Calls `use` with a folder of its own, and removes it afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T> | T): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
