// Runs in a terminal: fetched again and again, and drawn in the same place.

import { type Clock, systemClock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { escapeText, excerpt } from '../../observe/escape.ts'
import { countText, many } from '../../observe/text.ts'
import { shownName } from '../../pipeline/shown-name.ts'
import type { RunSnapshot, RunState } from '../../pipeline/snapshot.ts'
import { exitCodeOfSignal, OK } from '../exit.ts'
import { hasColour, type Io, isLively } from '../io.ts'
import { Stopped } from '../signals.ts'
import type { Seen } from './shards.ts'
import { colourOf, cut, perSecondOf, type TopViewOptions, topView } from './top-view.ts'

export interface ScreenOptions {
  /** Whether to print one snapshot. */
  readonly once: boolean
  /** Between two snapshots, in clock milliseconds; undefined: a second on a terminal, and one snapshot elsewhere. */
  readonly everyMs: number | undefined
}

/** If the width is unknown. */
const COLUMNS = 100

// The alternate screen, so that the previous contents come back; and the redraw sequence.
const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'
const REDRAW = '\x1b[H'
const REST_OF_LINE = '\x1b[K'
const REST_OF_PAGE = '\x1b[J'

/** Fetches snapshots and draws them. */
export class Top {
  readonly #look: (signal: AbortSignal) => Promise<Seen>
  readonly #options: ScreenOptions
  readonly #io: Io
  readonly #clock: Clock
  /** The last snapshots. */
  #before: Seen | undefined
  #isDrawn = false

  constructor(
    look: (signal: AbortSignal) => Promise<Seen>,
    options: ScreenOptions,
    io: Io,
    clock: Clock = systemClock,
  ) {
    this.#look = look
    this.#options = options
    this.#io = io
    this.#clock = clock
  }

  async show(signal: AbortSignal): Promise<number> {
    const { stdout, env } = this.#io
    const isLive = isLively(stdout, env) && !this.#options.once
    // A file as output gets one snapshot, unless an interval is given.
    const isOnce = this.#options.once || (!isLive && this.#options.everyMs === undefined)
    try {
      for (;;) {
        const told = await this.#ask(signal)
        if (isOnce) {
          stdout.write(textOf(topView(told.seen.runs, this.#viewOf(told.seen))))
          return OK
        }
        this.#draw(told, isLive)
        await this.#clock.sleep(this.#options.everyMs ?? 1000, signal)
      }
    } catch (error) {
      if (!signal.aborted) throw error
      const reason: unknown = signal.reason
      // Closing the view is not a failure.
      return reason instanceof Stopped && reason.exitCode !== exitCodeOfSignal('SIGINT') ? reason.exitCode : OK
    } finally {
      if (this.#isDrawn) stdout.write(LEAVE)
    }
  }

  /** Shows the final state of a run. */
  showLast(seen: Seen): void {
    this.#before = undefined
    this.#io.stdout.write(textOf(topView(seen.runs, this.#viewOf(seen))))
  }

  /** After a first answer, a page may be away for a while: the run restarts. */
  async #ask(signal: AbortSignal): Promise<{ readonly seen: Seen; readonly lost?: string }> {
    try {
      return { seen: await this.#look(signal) }
    } catch (error) {
      if (signal.aborted || this.#before === undefined) throw error
      return { seen: this.#before, lost: messageOf(error) }
    }
  }

  #draw({ seen, lost }: { readonly seen: Seen; readonly lost?: string }, isLive: boolean): void {
    const options = this.#viewOf(seen)
    const { runs } = seen
    const trouble = lost === undefined ? [] : [cut(`${escapeText(lost)}; trying again`, options.columns)]
    const whole = [...trouble, ...topView(runs, options)]
    if (lost === undefined) this.#before = seen
    const { stdout } = this.#io
    if (!isLive) {
      stdout.write(`${textOf(whole)}\n`)
      return
    }
    const { rows = Number.POSITIVE_INFINITY } = stdout
    // One line stays free: a terminal would scroll.
    const most = Math.max(1, rows - 1)
    const fits = whole.length <= most || runs.length < 2
    const lines = fits ? whole : [...trouble, ...topBrief(runs, most - trouble.length, options)]
    const shown =
      lines.length <= most ? lines : [...lines.slice(0, most - 1), `… and ${lines.length - most + 1} more lines`]
    stdout.write(
      `${this.#isDrawn ? '' : ENTER}${REDRAW}${shown.join(`${REST_OF_LINE}\n`)}${REST_OF_LINE}\n${REST_OF_PAGE}`,
    )
    this.#isDrawn = true
  }

  #viewOf({ shared }: Seen): TopViewOptions {
    const { stdout, env } = this.#io
    const before = this.#before === undefined ? {} : { before: this.#before.runs }
    return { ...before, shared, columns: stdout.columns ?? COLUMNS, hasColour: hasColour(stdout, env) }
  }
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

/** What needs attention comes first. */
const FIRST: readonly RunState[] = ['failed', 'waiting', 'running', 'draining', 'paused', 'drained', 'finished']

/**
 * One line per run, and how many are in which state if the lines do not suffice for all.
 *
 * @param rows - the most lines
 */
function topBrief(runs: readonly RunSnapshot[], rows: number, options: TopViewOptions): string[] {
  const sorted = runs.toSorted((a, b) => FIRST.indexOf(a.state) - FIRST.indexOf(b.state))
  const shown = sorted.length <= rows ? sorted : sorted.slice(0, Math.max(0, rows - 1))
  const lines = shown.map((run) => lineOf(run, options))
  const rest = sorted.slice(shown.length)
  if (rest.length === 0) return lines
  const states = FIRST.flatMap((state) => {
    const count = rest.filter((run) => run.state === state).length
    return count === 0 ? [] : [`${countText(count)} ${state}`]
  })
  return [...lines, cut(`… and ${many(rest.length, 'pipeline')} more: ${states.join(', ')}`, options.columns)]
}

function lineOf(run: RunSnapshot, options: TopViewOptions): string {
  const { columns } = options
  const bottleneck = run.layers.find(({ number }) => number === run.bottleneck)
  const heldUp = bottleneck === undefined ? [] : [`bottleneck: ${bottleneck.number} ${excerpt(bottleneck.title, 40)}`]
  const parts = [
    `${excerpt(shownName(run), 40)}: ${run.state}`,
    `read ${countText(run.read)}`,
    `loaded ${countText(run.run.loaded)}`,
    `dead ${countText(run.dead)}`,
    `${countText(perSecondOf(run, options))}/s`,
    ...(run.error === undefined ? heldUp : [run.error]),
  ]
  return colourOf(run, cut(excerpt(parts.join('  '), columns), columns), options)
}
