// What a URL returns: its beginning, read as a file would be.

import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { messageOf, SluiceError } from '../base/errors.ts'
import { redact } from '../observe/redact.ts'
import { bytesText } from '../observe/text.ts'
import { call, literal, type Piece, plain, plainName, propertyName } from '../scaffold/code.ts'
import { findFiles } from './files.ts'
import type { Found, Looking } from './found.ts'
import { notText } from './head.ts'

/** How much is downloaded to look at it. */
const MOST_BYTES = 64 * 1024 * 1024

/**
 * @throws {SluiceError} SOURCE_UNREADABLE if the server does not answer with content; then as `findFiles`
 */
export async function findUrl(given: string, looking: Looking): Promise<Found> {
  const url = new URL(given)
  const shown = `${url.origin}${url.pathname}`
  const name = basename(decodeURIComponent(url.pathname)).replace(/[^\w.-]+/g, '-') || 'download'
  const path = join(looking.folder, name)
  const { sizeBytes, readBytes, isWhole } = await download(given, shown, path, looking)
  if (readBytes === 0) throw notText(shown, 'the answer is empty')
  const found = await findFiles(path, looking, name)
  if (!isWhole && found.words === 'Parquet')
    throw notText(shown, 'the index of a Parquet file is at its end: download it, and try the file')
  const share = (found.share ?? 1) * (sizeBytes === undefined ? 1 : readBytes / sizeBytes)
  const notes = isWhole
    ? found.notes
    : [
        ...found.notes,
        `sampled: the first ${bytesText(readBytes)}${sizeBytes === undefined ? '' : ` of ${bytesText(sizeBytes)}`}`,
      ]
  const about = { ...found, name: plainName(name), notes, sizeBytes, shownAs: { path, name: shown } }
  const partial = isWhole ? {} : { share }
  const { jsonPath } = found
  const hasSecret = redact(given) !== given
  const env = hasSecret ? { env: { SOURCE_URL: given } } : {}
  const address = hasSecret ? plain(`process.env.SOURCE_URL ?? ''`) : given
  if (jsonPath !== undefined) return { ...about, ...partial, ...env, code: pageCode(jsonPath, address) }
  return {
    ...about,
    ...partial,
    notes: [
      ...notes,
      `the pipeline reads the file ${name}: download it first (curl -Lo ${name} ${JSON.stringify(redact(given))})`,
    ],
    async prepare(signal) {
      if (existsSync(name)) return `${name} is here already: it is read as it is`
      await fetchInto(given, shown, name, signal)
      return `downloaded ${name}`
    },
  }
}

/** JSON is read from the server itself. */
function pageCode(path: readonly string[], url: string | Piece): Piece {
  if (path.length === 0) return call('httpSource<Row>', [url])
  const type = path.reduceRight((inner, key) => `{ readonly ${propertyName(key)}: ${inner} }`, 'readonly Row[]')
  const access = path.map((key) => `[${literal(key)}]`).join('')
  const items = plain(`{\n    items: ({ body }) => (body as ${type})${access},\n  }`)
  return call('httpSource<Row>', [url, items])
}

async function download(url: string, shown: string, path: string, { signal, untilMs }: Looking) {
  const response = await get(url, shown, signal)
  const sizeBytes = Number(response.headers.get('content-length') ?? Number.NaN)
  await using file = await open(path, 'wx')
  let readBytes = 0
  let isWhole = true
  for await (const chunk of bodyOf(response, shown)) {
    await file.write(chunk)
    readBytes += chunk.length
    if (readBytes < MOST_BYTES && systemClock.nowMs() < untilMs) continue
    isWhole = readBytes === sizeBytes
    break
  }
  // Of a body that is packed on its way, the length is not that of its content.
  const isPlain = response.headers.get('content-encoding') === null && Number.isFinite(sizeBytes)
  return { readBytes, isWhole, sizeBytes: isWhole ? readBytes : isPlain ? sizeBytes : undefined }
}

async function fetchInto(url: string, shown: string, path: string, signal: AbortSignal | undefined): Promise<void> {
  const response = await get(url, shown, signal)
  await using file = await open(path, 'wx')
  for await (const chunk of bodyOf(response, shown)) await file.write(chunk)
}

async function get(url: string, shown: string, signal: AbortSignal | undefined): Promise<Response> {
  try {
    const response = await fetch(url, signal === undefined ? {} : { signal })
    if (response.ok) return response
    await response.body?.cancel()
    throw notText(shown, `the server answers ${response.status} ${response.statusText}`.trimEnd())
  } catch (thrown) {
    throw unreachable(shown, thrown)
  }
}

async function* bodyOf(response: Response, shown: string): AsyncGenerator<Uint8Array> {
  try {
    if (response.body !== null) yield* response.body
  } catch (thrown) {
    throw unreachable(shown, thrown)
  }
}

function unreachable(shown: string, thrown: unknown): unknown {
  if (thrown instanceof SluiceError) return thrown
  const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown
  const isLate = thrown instanceof Error && thrown.name === 'TimeoutError'
  return notText(shown, isLate ? 'the server did not answer in time' : messageOf(cause))
}
