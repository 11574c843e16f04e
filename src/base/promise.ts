// Telling what is there from what is still to come.

/** Whether a value is a promise: what is not one needs no wait. */
export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<T>).then === 'function'
}
