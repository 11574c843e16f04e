// The command line of this process: its streams, whose readers may be gone, and its end.

import { writeSync } from 'node:fs'
import { outputError } from '../connect/memory/stdout.ts'
import { BUG, CANNOT_WRITE, OK } from './exit.ts'
import type { Out } from './io.ts'
import { main } from './main.ts'

/**
 * Runs this process's command line and ends the process.
 *
 * Output that nobody reads any more (`sluice run … | head`, a closed terminal) stops no load: further output is
 * dropped. A load whose summary could not be printed exits with 74; help and diagrams exit with 0, as their reader has
 * seen enough, and so does a load whose sink is standard output.
 *
 * A process that exits with 0 before its command is done, as after `process.exit()` in a pipeline's own code, exits
 * with 70 instead: a load that stopped half-way must not look complete.
 */
export async function runProcess(): Promise<void> {
  let isDone = false
  process.on('exit', (code) => {
    if (isDone || code !== OK) return
    process.exitCode = BUG
    tellEarlyEnd()
  })
  const lost = new Set<NodeJS.WriteStream>()
  for (const out of [process.stdout, process.stderr]) out.on('error', () => lost.add(out))
  const argv = process.argv.slice(2)
  const stdout = new Printer(process.stdout)
  const code = await main(argv, { stdout, stderr: process.stderr, env: process.env })
  await Promise.all([process.stdout, process.stderr].map(flushed))
  isDone = true
  // If only rows went to standard output, their sink decides what a closed reader means.
  const isSummaryLost = lost.has(process.stdout) && stdout.hasPrinted
  process.exit(isSummaryLost && code === OK && argv[0] === 'run' ? CANNOT_WRITE : code)
}

/** Standard output, as a command prints to it. */
class Printer implements Out {
  readonly #stream: NodeJS.WriteStream
  /** Whether the command itself has printed anything. */
  hasPrinted = false

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  get isTTY(): boolean {
    return this.#stream.isTTY
  }

  get columns(): number {
    return this.#stream.columns
  }

  get rows(): number {
    return this.#stream.rows
  }

  write(text: string): boolean {
    this.hasPrinted = true
    return this.#stream.write(text)
  }

  /** For rows, whose reader decides when it has seen enough. */
  put(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(text, (error) => (error == null ? resolve() : reject(outputError(error))))
    })
  }
}

function tellEarlyEnd(): void {
  const why = "the process ended before its command was done: the pipeline's own code has called process.exit()"
  try {
    writeSync(2, `sluice: ${why}; what was committed stands: run the same command to continue\n`)
  } catch {
    // Nobody reads it any more: the exit code says so.
  }
}

/** Earlier output is on its way, or is known to be lost. */
function flushed(out: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (out.destroyed) resolve()
    else out.write('', () => resolve())
  })
}
