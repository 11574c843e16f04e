// Values available now, or later.

import { isPromise } from '../../../base/promise.ts'

/** Synchronously if the database is synchronous, so that nothing comes in between; otherwise later. */
export type Soon<T> = T | Promise<T>

/** Continues with a value, synchronously if it is available. */
export function then<T, U>(value: Soon<T>, next: (value: T) => Soon<U>): Soon<U> {
  return isPromise(value) ? value.then(next) : next(value as T)
}
