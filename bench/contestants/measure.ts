// How a contestant measures itself: the whole work once to warm up, then once more, timed.

/** Runs `work` twice, and prints the seconds of the second run with its answer. */
export async function measure(size: number, work: (size: number) => Promise<number | string>): Promise<void> {
  await work(size)
  const startMs = performance.now()
  const check = await work(size)
  report((performance.now() - startMs) / 1000, `${check}`)
}

/** Prints a result as `hold` reads it. */
export function report(seconds: number, check: string): void {
  const peakBytes = process.resourceUsage().maxRSS * 1024
  process.stdout.write(`${JSON.stringify({ seconds, check, peakBytes })}\n`)
}
