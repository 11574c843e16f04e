// The default limits of operator state: with small keys and states they fit into 2 GB.

/** Keys, items of a state, or open batches per stage. */
export const MOST_KEYS = 1_000_000
/** Events per stage. */
export const MOST_HELD = 1_000_000
