// Names for numbers that could be mixed up.

declare const brand: unique symbol

/** A `T` that only code which says `as` can make of a plain one. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }
