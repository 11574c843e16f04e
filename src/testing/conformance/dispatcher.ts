// What every dispatcher must hold, as tests: run them for one of your own.

import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkKeys } from '../../base/check.ts'
import type { Deliver, Dispatcher, DispatcherSpec } from '../../stage/dispatcher.ts'
import type { Mark } from '../../stage/message.ts'
import { below, seededRandom } from '../random.ts'
import { StrictChunk } from '../strict-chunk.ts'

/** A dispatcher under test, over events that are integers counted up from 0. */
export interface DispatcherSubject<O> {
  readonly name: string
  readonly make: () => DispatcherSpec<number, O>
  /** Who gets an event: one consumer, or all that are subscribed. */
  readonly gives: 'to-one' | 'to-all'
  /** The options of the consumer at `place`: from 0 up to `places`, exclusive. */
  readonly options?: (place: number) => O
  /** The most consumers at a time: 4 by default. */
  readonly places?: number
  /** Events that go to nobody. */
  readonly drops?: (event: number) => boolean
  /** Events that a consumer's own options reject. */
  readonly refuses?: (event: number, place: number) => boolean
  /** The most events held for one consumer, if that limit can be reached. */
  readonly holdEvents?: number
  /** Scripts to run, each with a seed of its own: 300 by default. */
  readonly scripts?: number
}

const KEYS = ['name', 'make', 'gives', 'options', 'places', 'drops', 'refuses', 'holdEvents', 'scripts']

/**
 * Runs random scripts of subscribing, asking, leaving, dispatching and marking against a dispatcher, and checks after
 * every step that it keeps the rules (docs/specs/demand.md, D30 to D33 and D140).
 *
 * @example
 * dispatcherConformance({ name: 'fair', make: () => fair(), gives: 'to-one' })
 */
export function dispatcherConformance<O>(subject: DispatcherSubject<O>): void {
  checkKeys('dispatcherConformance', subject, KEYS)
  describe(`${subject.name} dispatcher`, () => {
    it('D30 D31 D32 D33: keeps the rules in every order of asking, leaving, dispatching and marking', () => {
      for (let seed = 1; seed <= (subject.scripts ?? 300); seed += 1) new Script(subject, seed).run()
    })

    it('D140: keeps them with chunks that are not arrays: cuts them, passes them on, and asks for an event once', () => {
      for (let seed = 1; seed <= (subject.scripts ?? 300); seed += 1) new Script(subject, seed, true).run()
    })

    it('D32: wants nothing while nobody is subscribed, or nobody has asked', () => {
      const script = new Script(subject, 0)
      equal(script.dispatcher.wanted(), 0)
      script.subscribe()
      equal(script.dispatcher.wanted(), 0)
      equal(script.dispatcher.held(), 0)
    })

    it('D33: takes no notice of the ask, or the leaving, of a consumer that is not there', () => {
      const script = new Script(subject, 0)
      const stranger = new Seat(99, 0)
      script.dispatcher.ask(stranger, 5, script.deliver)
      script.dispatcher.cancel(stranger)
      equal(script.dispatcher.wanted(), 0)
    })
  })
}

/** One consumer, and what it knows. */
class Seat {
  readonly place: number
  /** The first event dispatched after it came. */
  readonly since: number
  asked = 0
  readonly events: number[] = []
  /** Marks, each with the number of events that precede it. */
  readonly marks: { readonly at: number; readonly time: number }[] = []

  constructor(place: number, since: number) {
    this.place = place
    this.since = since
  }

  get missing(): number {
    return this.asked - this.events.length
  }
}

class Script<O> {
  readonly dispatcher: Dispatcher<number, Seat, O>
  readonly #subject: DispatcherSubject<O>
  readonly #seed: number
  readonly #random: () => number
  /** Whether events come in chunks that are not arrays. */
  readonly #isStrict: boolean
  readonly #seats = new Map<number, Seat>()
  readonly #gone: Seat[] = []
  /** The next event; and the time of the next mark. */
  #next = 0
  #dropped = 0

  constructor(subject: DispatcherSubject<O>, seed: number, isStrict = false) {
    this.#isStrict = isStrict
    this.#subject = subject
    this.#seed = seed
    this.#random = seededRandom(seed)
    this.dispatcher = subject.make().make<Seat>()
  }

  run(): void {
    for (let steps = 0; steps < 60; steps += 1) {
      const kind = below(10, this.#random)
      if (kind < 2) this.subscribe()
      else if (kind < 5) this.#ask(1 + below(5, this.#random))
      else if (kind < 6) this.#leave()
      else if (kind < 9) this.#dispatch()
      else this.dispatcher.mark({ kind: 'watermark', time: this.#next }, this.deliver)
      this.#check()
    }
    this.#finish()
  }

  subscribe(): void {
    const place = below(this.#subject.places ?? 4, this.#random)
    if (this.#seats.has(place)) return
    const seat = new Seat(place, this.#next)
    this.#seats.set(place, seat)
    this.dispatcher.subscribe(seat, this.#subject.options?.(place) as O)
  }

  readonly deliver: Deliver<number, Seat> = {
    events: (seat, events) => {
      ok(this.#seats.get(seat.place) === seat, this.#says('events for somebody who has left'))
      ok(events.length > 0, this.#says('an empty batch'))
      equal(events instanceof StrictChunk, this.#isStrict, this.#says('D140: a chunk became something else'))
      seat.events.push(...StrictChunk.eventsOf(events))
      ok(seat.missing >= 0, this.#says(`D30: ${-seat.missing} more than was asked for`))
    },
    mark: (seat, mark: Mark) => {
      ok(mark.kind === 'watermark' && this.#seats.get(seat.place) === seat, this.#says('a mark gone astray'))
      seat.marks.push({ at: seat.events.length, time: mark.time })
    },
  }

  #ask(events: number): void {
    const seat = this.#any()
    if (seat === undefined) return
    seat.asked += events
    this.dispatcher.ask(seat, events, this.deliver)
  }

  #leave(): void {
    const seat = this.#any()
    if (seat === undefined) return
    this.#seats.delete(seat.place)
    this.#gone.push(seat)
    this.dispatcher.cancel(seat)
  }

  #dispatch(): void {
    const count = below(this.dispatcher.wanted() + 1, this.#random)
    const events = Array.from({ length: count }, (_, index) => this.#next + index)
    this.#next += count
    this.#dropped += events.filter((event) => this.#subject.drops?.(event) === true).length
    if (count === 0) return
    const strict = new StrictChunk(events)
    this.dispatcher.dispatch(this.#isStrict ? strict : events, this.deliver)
    const passes = this.#subject.gives === 'to-all' ? this.#seats.size : 1
    ok(strict.asked <= passes * count, this.#says('D140: an event was asked for again'))
  }

  /** D32: what it wants is what its consumers miss now, whatever came before. */
  #check(): void {
    const missing = [...this.#seats.values()].map((seat) => seat.missing)
    const wanted = this.dispatcher.wanted()
    if (this.#subject.gives === 'to-all') {
      return equal(wanted, missing.length === 0 ? 0 : Math.min(...missing), this.#says('D32: wanted'))
    }
    const all = missing.reduce((sum, one) => sum + one, 0)
    const { holdEvents } = this.#subject
    if (holdEvents === undefined) return equal(wanted, all, this.#says('D32: wanted'))
    ok(wanted >= 0 && wanted <= Math.min(all, holdEvents), this.#says('D32: wanted is within what may be held'))
    ok(this.dispatcher.held() <= holdEvents * (this.#subject.places ?? 4), this.#says('more is held than may be'))
  }

  /** All consumers ask for everything that is held for them; then the sums must be right. */
  #finish(): void {
    for (const seat of this.#seats.values()) {
      seat.asked += 10_000
      this.dispatcher.ask(seat, 10_000, this.deliver)
    }
    const seats = [...this.#seats.values(), ...this.#gone]
    for (const seat of seats) this.#checkSeat(seat)
    if (this.#subject.gives === 'to-all') return
    const all = seats.flatMap((seat) => seat.events)
    equal(new Set(all).size, all.length, this.#says('D30: no event goes to two'))
    equal(all.length + this.dispatcher.held() + this.#dropped, this.#next, this.#says('D30: no event is lost'))
  }

  #checkSeat(seat: Seat): void {
    const { events, marks, place, since } = seat
    const sorted = [...events].sort((a, b) => a - b)
    deepEqual(events, sorted, this.#says('D30: the order is kept'))
    if (this.#subject.gives === 'to-all') {
      const due = Array.from({ length: this.#next - since }, (_, index) => since + index)
      const wanted = due.filter((event) => this.#subject.refuses?.(event, place) !== true)
      deepEqual(events, wanted.slice(0, events.length), this.#says('D30: everybody gets everything'))
      if (this.#seats.get(place) === seat) equal(events.length, wanted.length, this.#says('D30: nothing is left out'))
    }
    for (const { at, time } of marks) {
      ok((events[at - 1] ?? -1) < time && (events[at] ?? time) >= time, this.#says('D31: a mark is out of its place'))
    }
  }

  #any(): Seat | undefined {
    const seats = [...this.#seats.values()]
    return seats[below(seats.length, this.#random)]
  }

  #says(what: string): string {
    return `${this.#subject.name}, seed ${this.#seed}: ${what}`
  }
}
