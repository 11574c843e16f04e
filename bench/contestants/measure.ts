// How a contestant measures itself: a warm-up, then one timed run.

/** Runs `work` small, then whole, and prints the seconds of the second with its answer. */
export async function measure(size: number, work: (size: number) => Promise<number | string>): Promise<void> {
  await work(Math.min(size, 100_000))
  const startMs = performance.now()
  const check = await work(size)
  report((performance.now() - startMs) / 1000, `${check}`)
}

/** Prints a result as `hold` reads it. */
export function report(seconds: number, check: string): void {
  const peakBytes = process.resourceUsage().maxRSS * 1024
  process.stdout.write(`${JSON.stringify({ seconds, check, peakBytes })}\n`)
}
