// Work that never settles would end the process with 0, as if it were done.

/**
 * Awaits `work`; fails with the result of `silent` once this process has nothing left to do and `work` has not settled.
 * One at a time: with two, both would fail.
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
