// The files of a folder that belong together: those with the commonest ending.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { cannotRead } from '../connect/kits/files/errors.ts'
import { many } from '../observe/text.ts'
import { notText } from './head.ts'

/** A glob for files of a folder, and what is left out. */
export interface FolderFiles {
  readonly glob: string
  readonly notes: readonly string[]
}

/** @throws {SluiceError} SOURCE_UNREADABLE for a folder that cannot be read, or without files */
export async function filesIn(folder: string): Promise<FolderFiles> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((thrown: unknown) => {
    throw cannotRead(folder, 0, thrown)
  })
  const names = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name)
  const data = names.filter((name) => !ABOUT.test(name))
  const files = data.length === 0 ? names : data
  const folders = entries.filter((entry) => entry.isDirectory()).length
  const byEnding = new Map<string, string[]>()
  for (const name of files.sort()) {
    const ending = endingOf(name)
    byEnding.set(ending, [...(byEnding.get(ending) ?? []), name])
  }
  const ranked = await Promise.all(
    [...byEnding].map(async ([ending, group]) => ({ ending, group, bytes: await bytesOf(folder, group) })),
  )
  const [{ ending, group } = {}] = ranked.sort((a, b) => b.group.length - a.group.length || b.bytes - a.bytes)
  if (ending === undefined || group === undefined) {
    const within =
      folders === 0 ? '' : `, and ${many(folders, 'folder')}: name one of these, or a glob such as **/*.csv`
    throw notText(folder, `there is no file in it${within}`)
  }
  const left = names.filter((name) => !group.includes(name))
  const notes: string[] = []
  if (left.length > 0) {
    const named = left.slice(0, 3).join(', ')
    notes.push(`left out in this folder: ${left.length > 3 ? `${named} and ${left.length - 3} more` : named}`)
  }
  if (folders > 0) notes.push(`left out in this folder: ${many(folders, 'folder')}; name one, or a glob`)
  return { glob: join(folder, globOf(ending, group)), notes }
}

/** Files about a folder. */
const ABOUT = /^(?:readme|licen[cs]e|changelog)\b/i

/** How large the first files are, which decides between endings of as many files. */
async function bytesOf(folder: string, names: readonly string[]): Promise<number> {
  const sizes = names
    .slice(0, 10)
    .map(async (name) => (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

/** `access.log.2.gz` is a log: what compression and rotation append says nothing of the content. */
function endingOf(name: string): string {
  const parts = name.split('.').slice(1)
  return parts.findLast((part) => !/^(?:gz|zst|zstd|[0-9-]+)$/.test(part)) ?? ''
}

function globOf(ending: string, names: readonly string[]): string {
  if (ending === '') return names.length === 1 ? (names[0] as string) : '*'
  const suffixes = new Set(names.map((name) => name.slice(name.lastIndexOf(`.${ending}`))))
  const [suffix] = suffixes
  return suffixes.size === 1 ? `*${suffix}` : `*.${ending}*`
}
