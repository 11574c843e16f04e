// This process's command line: its streams, who may have stopped reading them, and its end.

import { CANNOT_WRITE, OK } from './exit.ts'
import { main } from './main.ts'

/**
 * Runs this process's command line and ends the process.
 *
 * Output that nobody reads any more (`sluice run … | head`, a terminal that is gone) stops no load: what is still to be
 * printed is dropped. A load whose summary could not be printed ends with 74; help and diagrams end with 0, as their
 * reader has seen enough.
 */
export async function runProcess(): Promise<void> {
  const lost = new Set<NodeJS.WriteStream>()
  for (const out of [process.stdout, process.stderr]) out.on('error', () => lost.add(out))
  const argv = process.argv.slice(2)
  const code = await main(argv, { stdout: process.stdout, stderr: process.stderr, env: process.env })
  await Promise.all([process.stdout, process.stderr].map(flushed))
  process.exit(lost.has(process.stdout) && code === OK && argv[0] === 'run' ? CANNOT_WRITE : code)
}

/** What was written before is on its way, or is known to be lost. */
function flushed(out: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (out.destroyed) resolve()
    else out.write('', () => resolve())
  })
}
