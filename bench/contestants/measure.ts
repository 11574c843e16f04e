// How a contestant measures itself: the whole work once to warm up, then timed runs, of which the median counts.

/** Timed runs in one process, unless they take long. */
const RUNS = 5
/** No further run is begun after this, in seconds. */
const ENOUGH_S = 2

/** What this process has taken so far: read before the question for the answer, which is not part of the work. */
export interface Taken {
  /** The most memory that it has held. */
  readonly peakBytes: number
  /** User and system time of all its threads. */
  readonly cpuSeconds: number
}

/** Runs `work` again and again, and prints the median seconds with its answer. */
export async function measure(size: number, work: (size: number) => Promise<number | string>): Promise<void> {
  await work(size)
  const runs: { readonly seconds: number; readonly cpuSeconds: number }[] = []
  const answers = new Set<string>()
  for (let sum = 0; runs.length < RUNS && sum < ENOUGH_S; sum += runs.at(-1)?.seconds ?? 0) {
    const [startMs, before] = [performance.now(), takenSoFar()]
    answers.add(`${await work(size)}`)
    runs.push({
      seconds: (performance.now() - startMs) / 1000,
      cpuSeconds: takenSoFar().cpuSeconds - before.cpuSeconds,
    })
  }
  runs.sort((a, b) => a.seconds - b.seconds)
  const { seconds, cpuSeconds } = runs[Math.floor(runs.length / 2)] ?? { seconds: Number.NaN, cpuSeconds: Number.NaN }
  report(seconds, [...answers].join(' or '), { ...takenSoFar(), cpuSeconds })
}

export function takenSoFar(): Taken {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  return { peakBytes: maxRSS * 1024, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 }
}

/** Prints a result as `hold` reads it. */
export function report(seconds: number, check: string, taken: Taken = takenSoFar()): void {
  process.stdout.write(`${JSON.stringify({ seconds, check, ...taken })}\n`)
}
