// The bounds of what operators keep, where nothing else is said: with small keys and states they fit into 2 GB.

/** Keys, items of a state, or open batches that a stage holds. */
export const MOST_KEYS = 1_000_000
/** Events that a stage holds. */
export const MOST_HELD = 1_000_000
