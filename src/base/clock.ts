// The only place that reads a clock or sets a timer to wait. Machines take the time as a parameter; whatever runs them
// takes a Clock.

/** Time as all other code sees it. */
export interface Clock {
  /** Milliseconds that never jump: for waits, rates and deadlines. */
  nowMs(): number
  /** Epoch milliseconds, UTC: for what is stored or shown. */
  wallMs(): number
  /** Waits. An aborted signal ends the wait at once, with its reason as the error, and leaves no timer behind. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The system clocks. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason)
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop)
        resolve()
      }, ms)
      const stop = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', stop, { once: true })
    }),
}
