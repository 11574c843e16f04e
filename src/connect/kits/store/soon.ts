// What is there at once, or later.

import { isPromise } from '../../../base/promise.ts'

/** At once where the database answers at once, so that nothing comes in between; else later. */
export type Soon<T> = T | Promise<T>

/** Goes on with a value, at once if it is there. */
export function then<T, U>(value: Soon<T>, next: (value: T) => Soon<U>): Soon<U> {
  return isPromise(value) ? value.then(next) : next(value as T)
}
