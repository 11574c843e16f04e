// sluice top: the runs of a dashboard, in a terminal.

import { messageOf, SluiceError } from '../base/errors.ts'
import { redact } from '../observe/redact.ts'
import type { RunSnapshot } from '../pipeline/snapshot.ts'
import { topHelp } from './admin-help.ts'
import { OK, STOP_SIGNALS, type StopSignal } from './exit.ts'
import type { Io } from './io.ts'
import { runCommand } from './run.ts'
import { runsOf } from './show/foreign-runs.ts'
import { withShared } from './show/shards.ts'
import { Top } from './show/top.ts'
import { Stopped } from './signals.ts'
import { readTopOptions } from './top-options.ts'

/** The most time and bytes that an answer may take, in clock milliseconds and bytes. */
const ANSWER_MS = 5000
const MOST_BYTES = 16 * 1024 * 1024
/** Runs `sluice top` with its arguments; returns the exit code. */
export async function topCommand(argv: readonly string[], io: Io): Promise<number> {
  const options = readTopOptions(argv)
  if (options.run !== undefined) return await runCommand(options.run, io, { everyMs: options.everyMs })
  if (options.help || options.url === undefined) {
    io.stdout.write(topHelp())
    return OK
  }
  const abort = new AbortController()
  const stop = (signal: StopSignal): void => abort.abort(new Stopped(signal, `received ${signal}`))
  for (const signal of STOP_SIGNALS) process.on(signal, stop)
  try {
    const { url } = options
    const token = io.env.SLUICE_TOKEN
    const look = withShared(
      async (signal) => await askFor(new URL('api/snapshot', url), token, signal),
      async (signal) => parsed(await answerOf(new URL('api/checkpoints', url), token, signal)),
    )
    return await new Top(look, options, io).show(abort.signal)
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, stop)
  }
}

/**
 * The snapshots of the page.
 *
 * @throws {SluiceError} SOURCE_MISSING if there is no answer, SOURCE_UNREADABLE if access is denied, SOURCE_CORRUPT for
 *   another page
 */
export async function askFor(
  url: URL,
  token: string | undefined,
  signal: AbortSignal,
): Promise<readonly RunSnapshot[]> {
  const runs = runsOf(parsed(await answerOf(url, token, signal)))
  if (runs === undefined) throw strange(redact(url.origin), 'its answer is not about runs')
  return runs
}

async function answerOf(url: URL, token: string | undefined, signal: AbortSignal): Promise<string> {
  const page = redact(url.origin)
  let response: Response
  let text: string
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
    const headers = { accept: 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
    // The token must not go to another address than the one that was given.
    response = await fetch(url, { headers, signal: limit, redirect: 'error' })
    text = await textOf(response)
  } catch (error) {
    if (signal.aborted || error instanceof SluiceError) throw error
    const { cause } = error as Error
    const found = messageOf(cause ?? error)
    throw new SluiceError(
      'SOURCE_MISSING',
      `Cannot read ${page}: no answer: ${found}`,
      { source: page },
      { cause: error },
    )
  }
  if (!response.ok) {
    const hint = response.status === 401 ? ': set SLUICE_TOKEN to its token' : ''
    const details = { source: page, offset: 0, errno: `${response.status}` }
    throw new SluiceError('SOURCE_UNREADABLE', `Cannot read ${page}: it answers ${response.status}${hint}`, details)
  }
  return text
}

/** Bounded. */
async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > MOST_BYTES) throw strange(redact(new URL(response.url).origin), 'its answer is too long')
  }
  return text + decoder.decode()
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // Not about runs, either.
  }
}

function strange(page: string, found: string): SluiceError<'SOURCE_CORRUPT'> {
  const message = `Cannot read ${page}: ${found}; is it the address of a dashboard of this version?`
  return new SluiceError('SOURCE_CORRUPT', message, { source: page, offset: 0, found })
}
