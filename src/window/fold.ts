// How the events of a window become one state.

/** Makes one state out of events. States may be changed in place: `add` and `merge` give the one to go on with. */
export interface Fold<T, A> {
  readonly create: () => A
  readonly add: (acc: A, event: T) => A
  /** Absent where two states cannot become one: then there are no sessions, and no combining. */
  readonly merge?: (into: A, other: A) => A
  /** The state as plain data that shares nothing with it: a structured clone if absent. */
  readonly save?: (acc: A) => unknown
  /** The state out of what `save` gave: a structured clone if absent. */
  readonly load?: (saved: unknown) => A
}
