// This process's command line: its streams, who may have stopped reading them, and its end.

import { writeSync } from 'node:fs'
import { outputError } from '../connect/memory/stdout.ts'
import { BUG, CANNOT_WRITE, OK } from './exit.ts'
import type { Out } from './io.ts'
import { main } from './main.ts'

/**
 * Runs this process's command line and ends the process.
 *
 * Output that nobody reads any more (`sluice run … | head`, a terminal that is gone) stops no load: what is still to be
 * printed is dropped. A load whose summary could not be printed ends with 74; help and diagrams end with 0, as their
 * reader has seen enough, and so does a load whose sink is standard output.
 *
 * A process that ends with 0 before its command has, as after `process.exit()` in a pipeline's own code, ends with 70:
 * a load that stopped half-way must not look done.
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
  // Where only rows went to standard output, their sink has said what it is that nobody reads them.
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

  /** Of rows, whose reader says when it has seen enough. */
  put(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(text, (error) => (error == null ? resolve() : reject(outputError(error))))
    })
  }
}

function tellEarlyEnd(): void {
  const why = "the process ended before its command was done: the pipeline's own code has called process.exit()"
  try {
    writeSync(2, `sluice: ${why}; what was committed stands: run the same command to go on\n`)
  } catch {
    // Nobody reads it any more: the exit code says it.
  }
}

/** What was written before is on its way, or is known to be lost. */
function flushed(out: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (out.destroyed) resolve()
    else out.write('', () => resolve())
  })
}
