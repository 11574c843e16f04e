// Reads what a sink of NDJSON files wrote, as a reader that goes by the manifest, and looks for what was left over.

import { deepEqual } from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'

interface Listed {
  readonly path: string
  readonly epoch: number
  readonly rows: number
  readonly bytes: number
}

/** All parts that the manifests of a folder name, in the order of their epochs. */
export function listedIn(folder: string): Listed[] {
  const pieces = readdirSync(folder).filter((name) => name.startsWith('_manifest-'))
  return pieces.sort().flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).parts)
}

/** The ids of all rows that count, in order. */
export function idsIn(folder: string): number[] {
  return rowsIn(folder)
    .map(({ id }) => Number(id))
    .sort((a, b) => a - b)
}

/** All rows that count. What is listed is there as it is listed, and nothing else can be seen. */
export function rowsIn(folder: string): Record<string, unknown>[] {
  const listed = listedIn(folder)
  const rows = listed.flatMap(({ path, rows: count, bytes }) => {
    const lines = readFileSync(join(folder, path), 'utf8').split('\n').slice(0, -1)
    deepEqual([lines.length, statSync(join(folder, path)).size], [count, bytes], path)
    return lines.map((line) => JSON.parse(line))
  })
  deepEqual(seenIn(folder), listed.map(({ path }) => path).sort(), 'what is seen is what is listed')
  return rows
}

/** What there is in the folder of unfinished files. */
export function unfinishedIn(folder: string): string[] {
  const staging = join(folder, '.sluice-unfinished')
  return existsSync(staging) ? readdirSync(staging) : []
}

function seenIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith('.sluice') && !path.startsWith('_manifest-'))
    .sort()
}
