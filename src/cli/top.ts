// sluice top: the runs that a dashboard shows, in a terminal.

import { type Clock, systemClock } from '../base/clock.ts'
import { messageOf, SluiceError } from '../base/errors.ts'
import { escapeText } from '../observe/escape.ts'
import { redact } from '../observe/redact.ts'
import type { RunSnapshot } from '../pipeline/snapshot.ts'
import { exitCodeOfSignal, OK, STOP_SIGNALS, type StopSignal } from './exit.ts'
import { topHelp } from './help-keeping.ts'
import { hasColour, type Io, isLively } from './io.ts'
import { runsOf } from './show/foreign-runs.ts'
import { topView } from './show/top-view.ts'
import { Stopped } from './signals.ts'
import { readTopOptions, type TopOptions } from './top-options.ts'

/** The longest that an answer may take and be, in clock milliseconds and bytes. */
const ANSWER_MS = 5000
const MOST_BYTES = 16 * 1024 * 1024
/** Where nobody says how wide it is. */
const COLUMNS = 100

// Another page for the time that it lasts, so that what was there comes back; and what redraws it.
const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'
const REDRAW = '\x1b[H'
const REST_OF_LINE = '\x1b[K'
const REST_OF_PAGE = '\x1b[J'

/** Runs `sluice top` with its arguments; gives the exit code. */
export async function topCommand(argv: readonly string[], io: Io): Promise<number> {
  const options = readTopOptions(argv)
  if (options.help || options.url === undefined) {
    io.stdout.write(topHelp())
    return OK
  }
  const abort = new AbortController()
  const stop = (signal: StopSignal): void => abort.abort(new Stopped(signal, `received ${signal}`))
  for (const signal of STOP_SIGNALS) process.on(signal, stop)
  try {
    return await new Top(new URL('api/snapshot', options.url), options, io).show(abort.signal)
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, stop)
  }
}

/** Asks again and again, and draws what it is told. */
export class Top {
  readonly #url: URL
  readonly #options: TopOptions
  readonly #io: Io
  readonly #clock: Clock
  /** What was told the last time. */
  #before: readonly RunSnapshot[] | undefined
  #isDrawn = false

  constructor(url: URL, options: TopOptions, io: Io, clock: Clock = systemClock) {
    this.#url = url
    this.#options = options
    this.#io = io
    this.#clock = clock
  }

  async show(signal: AbortSignal): Promise<number> {
    const { stdout, env } = this.#io
    const isLive = isLively(stdout, env) && !this.#options.once
    // Whoever reads a file of it wants to be told once, unless they say how often.
    const isOnce = this.#options.once || (!isLive && this.#options.everyMs === undefined)
    try {
      for (;;) {
        const told = await this.#ask(signal)
        if (isOnce) {
          stdout.write(this.#textOf(told.runs))
          return OK
        }
        this.#draw(told, isLive)
        await this.#clock.sleep(this.#options.everyMs ?? 1000, signal)
      }
    } catch (error) {
      const reason: unknown = signal.reason
      if (!(reason instanceof Stopped)) throw error
      // To look away is no failure.
      return reason.exitCode === exitCodeOfSignal('SIGINT') ? OK : reason.exitCode
    } finally {
      if (this.#isDrawn) stdout.write(LEAVE)
    }
  }

  /** Once it was reached, a page may be away for a while: the run begins again. */
  async #ask(signal: AbortSignal): Promise<{ readonly runs: readonly RunSnapshot[]; readonly lost?: string }> {
    try {
      return { runs: await askFor(this.#url, this.#io.env.SLUICE_TOKEN, signal) }
    } catch (error) {
      if (signal.aborted || this.#before === undefined) throw error
      return { runs: this.#before, lost: messageOf(error) }
    }
  }

  #draw({ runs, lost }: { readonly runs: readonly RunSnapshot[]; readonly lost?: string }, isLive: boolean): void {
    const text = `${lost === undefined ? '' : `${escapeText(lost)}; trying again\n`}${this.#textOf(runs)}`
    if (lost === undefined) this.#before = runs
    const { stdout } = this.#io
    if (!isLive) {
      stdout.write(`${text}\n`)
      return
    }
    const { rows = Number.POSITIVE_INFINITY } = stdout
    const lines = text.split('\n').slice(0, -1)
    // One line stays free: a terminal would scroll.
    const shown =
      lines.length < rows ? lines : [...lines.slice(0, rows - 2), `… and ${lines.length - rows + 2} lines more`]
    stdout.write(
      `${this.#isDrawn ? '' : ENTER}${REDRAW}${shown.join(`${REST_OF_LINE}\n`)}${REST_OF_LINE}\n${REST_OF_PAGE}`,
    )
    this.#isDrawn = true
  }

  #textOf(runs: readonly RunSnapshot[]): string {
    const { stdout, env } = this.#io
    const columns = stdout.columns ?? COLUMNS
    const before = this.#before === undefined ? {} : { before: this.#before }
    return topView(runs, { ...before, columns, hasColour: hasColour(stdout, env) })
      .map((line) => `${line}\n`)
      .join('')
  }
}

/**
 * What the page says of its runs.
 *
 * @throws {SluiceError} SOURCE_MISSING if nobody answers, SOURCE_UNREADABLE if it refuses, SOURCE_CORRUPT for another page
 */
async function askFor(url: URL, token: string | undefined, signal: AbortSignal): Promise<readonly RunSnapshot[]> {
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
