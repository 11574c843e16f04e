// The map of the house: which folder may import which, and whether the files keep to it.

import { posix } from 'node:path'
import { importsOf } from './imports.ts'

/**
 * Folder (or file at the top) → the folders it may import. Rooms of a folder have rows of their own: what they may import
 * in that folder, beside what lies at its top. `connect/*` is every room of it that is not named.
 */
export type FolderTable = ReadonlyMap<string, ReadonlySet<string>>
/** Path below src, or from the project's root for what lies beside it, with forward slashes → text. */
export type Files = ReadonlyMap<string, string>

/** The table `| folder | may import | … |` out of a Markdown page. */
export function readFolderTable(markdown: string): FolderTable {
  const table = new Map<string, ReadonlySet<string>>()
  for (const row of markdown.matchAll(/^\| `([\w./*-]+?)\/?` +\|([^|]*)\|/gm)) {
    table.set(row[1] ?? '', new Set([...(row[2] ?? '').matchAll(/`([\w./-]+?)\/?`/g)].map((match) => match[1] ?? '')))
  }
  return table
}

/** Imports that the table does not allow, and folders that it does not name: one line each. */
export function violationsOf(files: Files, table: FolderTable, packages: ReadonlySet<string>): string[] {
  const found: string[] = []
  for (const [path, text] of files) {
    const from = folderOf(path)
    const allowed = table.get(from)
    if (allowed === undefined) {
      found.push(`${path}: the table has no row for ${from}`)
      continue
    }
    for (const { specifier, line } of importsOf(text)) {
      const place = `${path}:${line} imports ${specifier}`
      if (!specifier.startsWith('.')) {
        const name = specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/')
        if (!specifier.startsWith('node:') && !packages.has(name)) found.push(`${place}: no such dependency`)
        continue
      }
      const target = resolveImport(path, specifier)
      if (!files.has(target)) found.push(`${place}: there is no such file`)
      else if (folderOf(target) !== from && !allowed.has(folderOf(target)) && !isTest(path))
        found.push(`${place}: ${from} may not`)
      else if (!isTest(path) && !mayImportRoom(path, target, table))
        found.push(`${place}: ${roomOf(path) ?? folderOf(path)} may not import ${roomOf(target)}`)
      else if (target.endsWith('/index.ts') && from !== 'index.ts' && !isTest(path))
        found.push(`${place}: import the file itself`)
    }
  }
  return found
}

/** Every circle of files that import each other, as one path. */
export function circlesOf(files: Files): string[] {
  const circles: string[] = []
  const state = new Map<string, 'open' | 'done'>()
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'done') return
    if (state.get(path) === 'open') {
      circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      return
    }
    state.set(path, 'open')
    for (const { specifier } of importsOf(files.get(path) ?? '')) {
      if (specifier.startsWith('.') && files.has(resolveImport(path, specifier))) {
        visit(resolveImport(path, specifier), [...trail, path])
      }
    }
    state.set(path, 'done')
  }
  for (const path of files.keys()) visit(path, [])
  return circles
}

function folderOf(path: string): string {
  return path.split('/')[0] ?? path
}

/** The folder inside a folder; undefined for what lies at the top. */
function roomOf(path: string): string | undefined {
  const [folder, room, file] = path.split('/')
  return file === undefined ? undefined : `${folder}/${room}`
}

/** Where the rooms of a folder have rows: whether a file may import another one of that folder. */
function mayImportRoom(path: string, target: string, table: FolderTable): boolean {
  const [from, to] = [roomOf(path), roomOf(target)]
  const folder = folderOf(path)
  // The door of the whole folder.
  if (path === `${folder}/index.ts`) return true
  if (folder !== folderOf(target) || to === undefined || from === to || !table.has(`${folder}/*`)) return true
  return from !== undefined && (table.get(from) ?? table.get(`${folder}/*`))?.has(to) === true
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts')
}

function resolveImport(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier).replace(/^src\//, '')
}
