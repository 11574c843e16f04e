// Tells a person what a run does while it goes on: a line that is redrawn on a terminal, plain lines elsewhere.

import { type Clock, systemClock } from '../../base/clock.ts'
import { placeOf } from '../../connect/origin.ts'
import { excerpt } from '../../observe/escape.ts'
import type { Logger } from '../../observe/log.ts'
import { Rate } from '../../observe/rate.ts'
import { countText } from '../../observe/text.ts'
import type { Progress, RunEvent } from '../../pipeline/report.ts'
import { hasColour, type Io, isLively } from '../io.ts'
import { progressLine } from './progress.ts'

/** Between two looks at the run, in clock milliseconds. */
const REDRAW_MS = 100
/** Before the first plain line, and between two of them, in clock milliseconds. */
const FIRST_LINE_MS = 2000
const LINE_MS = 5000
/** Rejected records that are told one by one. */
const TOLD_REJECTS = 3
const CLEAR = '\r\x1b[2K'

export interface ReporterOptions {
  readonly io: Io
  readonly log: Logger
  readonly isQuiet: boolean
  readonly isJson: boolean
  readonly clock?: Clock
}

/** Looks at a run now and then: the run pays nothing for it. */
export class Reporter {
  readonly #options: ReporterOptions
  readonly #clock: Clock
  readonly #isLive: boolean
  readonly #events = new Rate()
  readonly #bytes = new Rate()
  /** Ticks while a run is watched. */
  #timer: NodeJS.Timeout | undefined
  /** Whether a progress line stands on the terminal. */
  #isDrawn = false
  #rejects = 0
  #nextLineMs = 0

  constructor(options: ReporterOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#isLive = isLively(options.io.stderr, options.io.env) && !options.isJson
  }

  /** Shows how far a run is until `stop`. */
  watch(progress: () => Progress): void {
    if (this.#options.isQuiet) return
    this.#nextLineMs = this.#clock.nowMs() + FIRST_LINE_MS
    this.#timer = setInterval(() => this.#look(progress()), REDRAW_MS)
    this.#timer.unref()
  }

  /** A line for people, above the progress line. */
  say(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#clear()
    this.#options.log.info(fields, message)
  }

  onEvent(event: RunEvent): void {
    if (event.kind === 'rejected') this.#rejected(event)
    else if (event.kind === 'draining') this.say(`stopping: ${event.why}; finishing what was read`)
    else if (event.kind === 'started' && event.resumedEpoch !== undefined && !this.#options.isQuiet) {
      this.say(`going on after epoch ${event.resumedEpoch}`, { epoch: event.resumedEpoch })
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#clear()
  }

  #rejected({ letter }: Extract<RunEvent, { kind: 'rejected' }>): void {
    this.#rejects += 1
    if (this.#rejects > TOLD_REJECTS + 1 || this.#options.isQuiet) return
    if (this.#rejects > TOLD_REJECTS) return this.say('further rejected records are only counted')
    const place = placeOf(letter.origin)
    this.say(`rejected ${excerpt(place, 300)}: ${excerpt(letter.reason, 300)}`, { place, reason: letter.reason })
  }

  #look(progress: Progress): void {
    const nowMs = this.#clock.nowMs()
    this.#events.update(progress.read, nowMs)
    this.#bytes.update(progress.doneBytes, nowMs)
    if (this.#isLive) return this.#draw(progress)
    if (nowMs < this.#nextLineMs) return
    this.#nextLineMs = nowMs + LINE_MS
    const line = progressLine({ progress, events: this.#events, bytes: this.#bytes, columns: 200, hasColour: false })
    this.#options.log.info({ read: progress.read, dead: progress.dead, doneBytes: progress.doneBytes }, line)
  }

  #draw(progress: Progress): void {
    const { stderr, env } = this.#options.io
    const columns = Math.max(40, stderr.columns ?? 80)
    const colour = hasColour(stderr, env)
    const line = progressLine({ progress, events: this.#events, bytes: this.#bytes, columns, hasColour: colour })
    stderr.write(CLEAR + line)
    this.#isDrawn = true
  }

  #clear(): void {
    if (this.#isDrawn) this.#options.io.stderr.write(CLEAR)
    this.#isDrawn = false
  }
}

/** `1 record`, `2 records`. */
export function records(count: number): string {
  return `${countText(count)} record${count === 1 ? '' : 's'}`
}
