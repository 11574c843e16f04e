// sluice top: the runs that a dashboard shows, in a terminal.

import { messageOf, SluiceError } from '../base/errors.ts'
import { redact } from '../observe/redact.ts'
import type { RunSnapshot } from '../pipeline/snapshot.ts'
import { topHelp } from './admin-help.ts'
import { OK, STOP_SIGNALS, type StopSignal } from './exit.ts'
import type { Io } from './io.ts'
import { runCommand } from './run.ts'
import { runsOf } from './show/foreign-runs.ts'
import { Top } from './show/top.ts'
import { Stopped } from './signals.ts'
import { readTopOptions } from './top-options.ts'

/** The longest that an answer may take and be, in clock milliseconds and bytes. */
const ANSWER_MS = 5000
const MOST_BYTES = 16 * 1024 * 1024
/** Runs `sluice top` with its arguments; gives the exit code. */
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
    const url = new URL('api/snapshot', options.url)
    return await new Top((signal) => askFor(url, io.env.SLUICE_TOKEN, signal), options, io).show(abort.signal)
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, stop)
  }
}

/**
 * What the page says of its runs.
 *
 * @throws {SluiceError} SOURCE_MISSING if nobody answers, SOURCE_UNREADABLE if it refuses, SOURCE_CORRUPT for another page
 */
export async function askFor(
  url: URL,
  token: string | undefined,
  signal: AbortSignal,
): Promise<readonly RunSnapshot[]> {
  const page = redact(url.origin)
  let response: Response
  let text: string
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
    const headers = { accept: 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
    // Another address than the one that was given must not see the token.
    response = await fetch(url, { headers, signal: limit, redirect: 'error' })
    text = await textOf(response)
  } catch (error) {
    if (signal.aborted || error instanceof SluiceError) throw error
    const { cause } = error as Error
    const found = messageOf(cause ?? error)
    throw new SluiceError(
      'SOURCE_MISSING',
      `Cannot look at ${page}: nobody answers: ${found}`,
      { source: page },
      { cause: error },
    )
  }
  if (!response.ok) {
    const hint = response.status === 401 ? ': set SLUICE_TOKEN to its token' : ''
    const details = { source: page, offset: 0, errno: `${response.status}` }
    throw new SluiceError('SOURCE_UNREADABLE', `Cannot look at ${page}: it answers ${response.status}${hint}`, details)
  }
  const runs = runsOf(parsed(text))
  if (runs === undefined) throw strange(page, 'what it says is not of runs')
  return runs
}

/** Not more than one can bear. */
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
    return undefined // Not of runs, either.
  }
}

function strange(page: string, found: string): SluiceError<'SOURCE_CORRUPT'> {
  const message = `Cannot look at ${page}: ${found}; is it the address of a dashboard of this version?`
  return new SluiceError('SOURCE_CORRUPT', message, { source: page, offset: 0, found })
}
