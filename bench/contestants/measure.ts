// How a contestant measures itself: the whole work once to warm up, then timed runs, of which the median counts.

/** Timed runs in one process, unless they take long. */
const RUNS = 5
/** No further run is begun after this, in seconds. */
const ENOUGH_S = 2

/** Runs `work` again and again, and prints the median seconds with its answer. */
export async function measure(size: number, work: (size: number) => Promise<number | string>): Promise<void> {
  await work(size)
  const seconds: number[] = []
  const answers = new Set<string>()
  for (let sum = 0; seconds.length < RUNS && sum < ENOUGH_S; sum += seconds.at(-1) ?? 0) {
    const startMs = performance.now()
    answers.add(`${await work(size)}`)
    seconds.push((performance.now() - startMs) / 1000)
  }
  seconds.sort((a, b) => a - b)
  report(seconds[Math.floor(seconds.length / 2)] ?? Number.NaN, [...answers].join(' or '))
}

/** The most memory that this process has held so far, in bytes. */
export const peakSoFar = (): number => process.resourceUsage().maxRSS * 1024

/** Prints a result as `hold` reads it; a peak given is that of the work alone, without the question for its answer. */
export function report(seconds: number, check: string, peakBytes: number = peakSoFar()): void {
  process.stdout.write(`${JSON.stringify({ seconds, check, peakBytes })}\n`)
}
