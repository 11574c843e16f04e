// Work that is never settled would end the process with 0, as if it had been done.

/**
 * Waits for `work`; fails with what `silent` gives once this process has nothing left to do and `work` is not settled.
 * One at a time: of two that wait, both would be told.
 *
 * @example
 * await orSilence(Promise.resolve(5), () => new Error('never')) // => 5
 */
export async function orSilence<T>(work: Promise<T>, silent: () => Error): Promise<T> {
  const silence = Promise.withResolvers<never>()
  const onSilence = (): void => silence.reject(silent())
  process.once('beforeExit', onSilence)
  try {
    return await Promise.race([work, silence.promise])
  } finally {
    process.off('beforeExit', onSilence)
  }
}
