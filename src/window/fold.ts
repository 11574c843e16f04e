// How the events of a window become one state.

/** Folds events into one state. States may be changed in place: `add` and `merge` return the one to continue with. */
export interface Fold<T, A> {
  readonly create: () => A
  readonly add: (acc: A, event: T) => A
  /** Absent if two states cannot be merged: then there are no sessions, and no combining. */
  readonly merge?: (into: A, other: A) => A
  /** The state as plain data that shares nothing with it: a structured clone if absent. */
  readonly save?: (acc: A) => unknown
  /** The state restored from what `save` returned: a structured clone if absent. */
  readonly load?: (saved: unknown) => A
}
