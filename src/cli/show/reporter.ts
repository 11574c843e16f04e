// Prints what a run does while it is running: a line that is redrawn on a terminal, plain lines elsewhere.

import { type Clock, systemClock } from '../../base/clock.ts'
import { placeOf } from '../../connect/origin.ts'
import { excerpt } from '../../observe/escape.ts'
import type { Logger } from '../../observe/log.ts'
import { Rate } from '../../observe/rate.ts'
import { countText } from '../../observe/text.ts'
import { HISTORY_MS, RunHistory } from '../../pipeline/history.ts'
import type { Progress, RunEvent } from '../../pipeline/report.ts'
import { hasColour, type Io, isLively } from '../io.ts'
import { progressLine } from './progress.ts'

/** Between two looks at the run, in clock milliseconds. */
const REDRAW_MS = 100
/** Before the first plain line, and between two of them, in clock milliseconds. */
const FIRST_LINE_MS = 2000
const LINE_MS = 5000
/** In a run that lasts longer than this, plain lines are rarer; after ten minutes, its history tells instead. */
const RARER_AFTER_MS = 60_000
const RARER_LINE_MS = 60_000
/** Rejected records that are printed one by one. */
const SHOWN_DEAD_LETTERS = 3
/** Notes that are kept for the summary. */
const KEPT_NOTES = 3
/** Splits whose resume point is printed. */
const TOLD_RESUMED = 3
const CLEAR = '\r\x1b[2K'

export interface ReporterOptions {
  readonly io: Io
  readonly log: Logger
  /** Whether only errors, and what was requested, are printed. */
  readonly isQuiet: boolean
  /** Whether a line may be redrawn on a terminal; otherwise machines read the log. */
  readonly isLive: boolean
  /** Whether the run itself logs what happens: then only what the summary needs is kept. */
  readonly isLogged?: boolean
  readonly clock?: Clock
}

/** Looks at a run now and then, at no cost to the run. */
export class Reporter {
  readonly log: Logger
  readonly #io: Io
  readonly #isQuiet: boolean
  readonly #isLive: boolean
  readonly #isLogged: boolean
  readonly #clock: Clock
  readonly #events = new Rate()
  readonly #bytes = new Rate()
  /** Ticks while a run is watched. */
  #timer: NodeJS.Timeout | undefined
  /** Whether there is a progress line on the terminal. */
  #isDrawn = false
  /** Rejected records reported so far. */
  #rejects = 0
  /** Splits so far that continued where an earlier run had stopped. */
  #resumed = 0
  /** When the next plain line is due, in clock milliseconds. */
  #nextLineMs = Number.POSITIVE_INFINITY
  /** When it began to be watched, in clock milliseconds. */
  #startedMs = 0
  readonly #history = new RunHistory()
  /** Why the run stops reading, once that was printed. */
  #draining: string | undefined
  /** Whether something failed, and nothing has been committed since. */
  #isRetrying = false
  /** Notes of splits with nothing new, the first few of them. */
  readonly notes: string[] = []
  /** Notes of the source, the first of them: the summary repeats them. */
  readonly noted: string[] = []
  /** The split that was opened last. */
  lastSplit: string | undefined

  constructor({ io, log, isQuiet, isLive, isLogged = false, clock = systemClock }: ReporterOptions) {
    this.log = log
    this.#io = io
    this.#isQuiet = isQuiet || isLogged
    this.#isLogged = isLogged
    this.#clock = clock
    this.#isLive = isLive && isLively(io.stderr, io.env)
  }

  /** Shows the progress of a run until `stop`. */
  watch(progress: () => Progress): void {
    if (this.#isQuiet && !this.#isLogged) return
    this.#startedMs = this.#clock.nowMs()
    this.#nextLineMs = this.#startedMs + FIRST_LINE_MS
    this.#timer = setInterval(() => this.look(progress()), REDRAW_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#clear()
  }

  /** A line for people, above the progress line. */
  say(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#clear()
    this.log.info(fields, message)
  }

  /** Why records were rejected, the most common reasons first. */
  get reasons(): RunHistory['reasons'] {
    return this.#history.reasons
  }

  onEvent(event: RunEvent): void {
    this.#history.onEvent(event)
    if (this.#isLogged && event.kind !== 'split-opened') return
    switch (event.kind) {
      case 'started':
        return this.#started(event)
      case 'split-opened':
        return this.#opened(event)
      case 'dead-letter':
        return this.#rejected(event)
      case 'draining':
        return this.draining(event.why)
      case 'noted':
        if (this.noted.length < KEPT_NOTES) this.noted.push(event.note)
        if (!this.#isQuiet) this.say(excerpt(event.note, 300))
        return
      case 'retrying':
        this.#isRetrying = true
        return this.say(event.why)
      case 'committed':
        return this.#committed(event.epoch)
      case 'paused':
        return this.say('paused: reading is stopped')
      case 'resumed':
        return this.say('resumed: reading continues')
    }
  }

  /** Shown as progress; printed only after a failure. */
  #committed(epoch: number): void {
    if (!this.#isRetrying) return
    this.#isRetrying = false
    this.say(`back: committed epoch ${epoch}`)
  }

  /** Prints once that the run stops reading, however many report it. */
  draining(why: string): void {
    if (why === this.#draining || this.#isLogged) return
    this.#draining = why
    this.say(`stopping: ${why}; finishing what was read`)
  }

  /** Looks at the run: redraws the line, or writes a plain one when it is due. */
  look(progress: Progress): void {
    const nowMs = this.#clock.nowMs()
    const told = this.#history.look(progress)
    if (told !== undefined) {
      const time = this.#isLogged ? '' : `${new Date(this.#clock.wallMs()).toISOString().slice(0, 16)}Z `
      this.say(`${time}${told.text}`, { event: 'history', ...told.figures })
    }
    if (this.#isQuiet) return
    this.#events.update(progress.read, nowMs)
    this.#bytes.update(progress.doneBytes, nowMs)
    if (this.#isLive) return this.#draw(progress)
    if (nowMs < this.#nextLineMs) return
    const forMs = nowMs - this.#startedMs
    this.#nextLineMs = nowMs + (forMs < RARER_AFTER_MS ? LINE_MS : forMs < HISTORY_MS ? RARER_LINE_MS : HISTORY_MS)
    if (forMs >= HISTORY_MS) return
    const { read, dead, doneBytes, totalBytes, epoch } = progress
    this.log.info({ read, dead, doneBytes, totalBytes, epoch }, this.#line(progress, 200))
  }

  #started({ source, sink, resumedEpoch }: Extract<RunEvent, { kind: 'started' }>): void {
    if (this.#isQuiet) return
    const resumed = resumedEpoch === undefined ? '' : `, continuing after epoch ${resumedEpoch}`
    this.say(`loading ${excerpt(source, 200)} into ${excerpt(sink, 200)}${resumed}`, { epoch: resumedEpoch })
  }

  #opened({ split, note, resumedBytes, sizeBytes }: Extract<RunEvent, { kind: 'split-opened' }>): void {
    this.lastSplit = split
    if (note !== undefined) {
      if (this.notes.length < KEPT_NOTES) this.notes.push(`${split}: ${note}`)
    } else if (resumedBytes > 0 && !this.#isQuiet) {
      this.#resumed += 1
      if (this.#resumed > TOLD_RESUMED) return
      // If a source does not report its size in bytes, what it counts need not be bytes.
      const after = sizeBytes === undefined ? '' : ` after ${countText(resumedBytes)} of ${countText(sizeBytes)} bytes`
      this.say(`continuing in ${excerpt(split, 300)}${after}`, {
        split,
        resumedBytes,
      })
    }
  }

  #rejected({ letter }: Extract<RunEvent, { kind: 'dead-letter' }>): void {
    this.#rejects += 1
    if (this.#rejects > SHOWN_DEAD_LETTERS + 1 || this.#isQuiet) return
    if (this.#rejects > SHOWN_DEAD_LETTERS) return this.say('further rejected records are only counted')
    const place = excerpt(placeOf(letter.origin), 300)
    const reason = excerpt(letter.reason, 300)
    this.say(`${place}: rejected by ${excerpt(letter.step, 60)}: ${reason}`, { place, step: letter.step, reason })
  }

  #draw(progress: Progress): void {
    this.#io.stderr.write(CLEAR + this.#line(progress, this.#io.stderr.columns || 80))
    this.#isDrawn = true
  }

  #line(progress: Progress, columns: number): string {
    const hasColours = this.#isLive && hasColour(this.#io.stderr, this.#io.env)
    return progressLine({ progress, events: this.#events, bytes: this.#bytes, columns, hasColour: hasColours })
  }

  #clear(): void {
    if (this.#isDrawn) this.#io.stderr.write(CLEAR)
    this.#isDrawn = false
  }
}
