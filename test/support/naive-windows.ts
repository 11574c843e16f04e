// Windows done in the simplest way: a list of all that is open, and time that passes one millisecond after the other.

import type { Trigger } from '../../src/window/trigger.ts'
import type { EventTimeWindow } from '../../src/window/window.ts'

/** An event: its number is its value. */
export interface Numbered {
  readonly id: number
  readonly at: number
}

export type Step =
  | { readonly kind: 'add'; readonly key: string; readonly at: number }
  | { readonly kind: 'watermark'; readonly time: number }
  | { readonly kind: 'mark' }

interface Window {
  readonly key: string
  readonly start: number
  end: number
  readonly order: number
  ids: number[]
  events: number
  panes: number
  isChanged: boolean
  isPast: boolean
  empties: number
}

/** Before all times that are used here. */
const FIRST = -1000

/** One line for each pane, and for each event that came too late. */
export class NaiveWindows {
  readonly lines: string[] = []
  readonly #spec: EventTimeWindow<Numbered>
  #open: Window[] = []
  #time = FIRST
  #orders = 0
  #ids = 0
  readonly #holdMs: number
  /** Key → the end of its last session that was closed. */
  readonly #closed = new Map<string, number>()

  constructor(spec: EventTimeWindow<Numbered>, holdMs = 0) {
    this.#spec = spec
    this.#holdMs = holdMs
  }

  step(step: Step): void {
    if (step.kind === 'add') this.#add(step.key, step.at)
    else if (step.kind === 'watermark') this.#watermark(step.time)
    else if (this.#has('mark')) for (const window of this.#sorted()) if (window.events > 0) this.#fire(window, 'mark')
  }

  end(): void {
    const last = Math.max(...this.#open.filter(({ events }) => events > 0).map(({ end }) => end))
    for (let [window] = this.#sorted(); window !== undefined; [window] = this.#sorted()) {
      if (!window.isPast) this.#follow(window, last)
      this.#open.splice(this.#open.indexOf(window), 1)
      if (window.events > 0 || window.isPast || window.end <= last) this.#fire(window, 'end', true)
    }
  }

  #watermark(time: number): void {
    if (time <= this.#time) return
    for (const window of this.#sorted()) if (window.isPast && window.isChanged) this.#fire(window, 'late')
    while (this.#time < time) {
      this.#time += 1
      for (const window of this.#sorted()) this.#pass(window, this.#time)
    }
  }

  #pass(window: Window, now: number): void {
    const { start, end, isPast, isChanged } = window
    const lateness = this.#spec.allowedLatenessMs
    const early = this.#has('early')
    if (now === end + lateness + this.#holdMs && (isPast || lateness === 0)) {
      this.#closed.set(window.key, end)
      if (!isPast) this.#follow(window, Number.POSITIVE_INFINITY)
      this.#open.splice(this.#open.indexOf(window), 1)
      this.#fire(window, isPast ? 'closing' : 'watermark', true)
    } else if (now === end && lateness > 0) {
      this.#follow(window, Number.POSITIVE_INFINITY)
      window.isPast = true
      this.#fire(window, 'watermark')
    } else if (
      early?.kind === 'early' &&
      !isPast &&
      isChanged &&
      now > start &&
      now < end &&
      (now - start) % early.ms === 0
    ) {
      this.#fire(window, 'early')
    }
  }

  #add(key: string, at: number): void {
    const id = this.#ids++
    const spec = this.#spec
    if (spec.kind === 'session') return this.#addToSession(key, at, id)
    const every = spec.kind === 'sliding' ? spec.everyMs : spec.sizeMs
    let taken = 0
    for (let start = at - spec.sizeMs + 1; start <= at; start += 1) {
      if ((start - spec.offsetMs) % every !== 0) continue
      const end = start + spec.sizeMs
      if (end + spec.allowedLatenessMs <= this.#time) continue
      taken += 1
      const found = this.#open.find((window) => window.key === key && window.start === start)
      this.#put(found ?? this.#new(key, start, end), [id], found?.events ?? 0)
    }
    if (taken === 0) this.lines.push(`late ${id}`)
  }

  #addToSession(key: string, at: number, id: number): void {
    const { gapMs, maxLengthMs, allowedLatenessMs } = this.#spec as EventTimeWindow<Numbered> & { kind: 'session' }
    const own = this.#open.filter((window) => window.key === key).sort((a, b) => a.start - b.start)
    if (at < (this.#closed.get(key) ?? FIRST)) {
      this.lines.push(`late ${id}`)
      return
    }
    const around = own.find((window) => window.start <= at && at < window.end)
    const met = around === undefined ? [] : [around]
    const start = around?.start ?? at
    let end = Math.max(around?.end ?? at, Math.min(at + gapMs, start + maxLengthMs))
    for (const next of own.filter((window) => window.start > at)) {
      if (next.start >= end) break
      if (Math.max(end, next.end) - start > maxLengthMs) {
        end = next.start
        break
      }
      end = Math.max(end, next.end)
      met.push(next)
    }
    if (met.length === 0 && end + allowedLatenessMs <= this.#time) {
      this.lines.push(`late ${id}`)
      return
    }
    this.#open = this.#open.filter((window) => !met.includes(window))
    const merged = this.#new(key, start, end, Math.min(...met.map(({ order }) => order), this.#orders++))
    merged.panes = Math.max(0, ...met.map(({ panes }) => panes))
    merged.events = met.reduce((sum, { events }) => sum + events, 0)
    const others = met.filter((window) => window !== around).flatMap(({ ids }) => ids)
    this.#put(merged, [...(around?.ids ?? []), id, ...others], Math.max(0, ...met.map(({ events }) => events)))
  }

  #new(key: string, start: number, end: number, order = this.#orders++): Window {
    const isPast = this.#spec.allowedLatenessMs > 0 && end <= this.#time
    const window = { key, start, end, order, ids: [], events: 0, panes: 0, isChanged: false, isPast, empties: 0 }
    this.#open.push(window)
    return window
  }

  #put(window: Window, ids: readonly number[], before: number): void {
    window.ids.push(...ids)
    window.events += 1
    window.isChanged = true
    const every = this.#has('every')
    const n = every?.kind === 'every' ? every.events : Number.POSITIVE_INFINITY
    if (Math.floor(window.events / n) > Math.floor(before / n)) this.#fire(window, 'every')
    else if (window.isPast && this.#has('late')) this.#fire(window, 'late')
  }

  #follow({ key, start, events, empties }: Window, until: number): void {
    const spec = this.#spec
    if (spec.kind === 'session' || spec.emptyWindows === 0) return
    const from = start + (spec.kind === 'sliding' ? spec.everyMs : spec.sizeMs)
    const count = events === 0 ? empties : 0
    if (count >= spec.emptyWindows || from + spec.sizeMs > until) return
    if (this.#open.some((window) => window.key === key && window.start === from)) return
    const next = this.#new(key, from, from + spec.sizeMs)
    next.isPast = false
    next.empties = count + 1
  }

  #fire(window: Window, by: string, isLast = false): void {
    const { key, start, end, panes, ids } = window
    this.lines.push(`${key} ${start}-${end} #${panes} ${by}${isLast ? ' last' : ''}: ${ids.join(' ')}`)
    window.panes += 1
    window.isChanged = false
    if (this.#spec.panes === 'discard') window.ids = []
  }

  #has(kind: Trigger['kind']): Trigger | undefined {
    return this.#spec.triggers.find((trigger) => trigger.kind === kind)
  }

  #sorted(): Window[] {
    return [...this.#open].sort((a, b) => a.end - b.end || a.order - b.order)
  }
}
