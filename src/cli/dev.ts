// sluice dev: previews a pipeline again at each save, and shows what has changed.

import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { systemClock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { untilAborted } from '../base/promise.ts'
import { excerpt } from '../observe/escape.ts'
import { redact } from '../observe/redact.ts'
import type { PreviewedSteps } from '../pipeline/preview-steps.ts'
import type { DevNews, DevTask } from './dev-worker.ts'
import { OK } from './exit.ts'
import { stampOf } from './file-stamp.ts'
import type { Io } from './io.ts'
import { columnsOf } from './preview.ts'
import type { PreviewOptions } from './preview-options.ts'
import { stepsView } from './show/steps-view.ts'

/** How often files are looked at, in clock milliseconds. */
const LOOK_MS = 200

/** Runs `sluice dev` with its arguments; returns the exit code once it is told to stop. */
export async function dev(options: PreviewOptions & { readonly file: string }, io: Io): Promise<number> {
  const { file, params, rows, records, step } = options
  const stop = new AbortController()
  const onSignal = (): void => stop.abort()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal)
  const say = (line: string): void => void io.stdout.write(`${line}\n`)
  let before: PreviewedSteps | undefined
  try {
    while (!stop.signal.aborted) {
      const { files, news } = await previewed({ file, params, rows, records }, stop.signal)
      if (news?.kind === 'failed') say(`sluice: ${excerpt(redact(news.message), 1000)}`)
      if (news?.kind === 'previewed') {
        for (const line of stepsView(news.preview, { columns: columnsOf(io), step, before })) say(line)
        before = news.preview
      }
      say(`${excerpt(file, 200)}: waiting for a change; Ctrl-C ends it`)
      await changed(files, stop.signal)
      say('')
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal)
  }
  return OK
}

interface Previewed {
  /** Path → how it was, of all files that the module consists of. */
  readonly files: ReadonlyMap<string, string>
  /** Absent if the thread ended without a word. */
  readonly news: Exclude<DevNews, { kind: 'loaded' }> | undefined
}

/** Loads the module in a new thread, and previews it. */
async function previewed(task: DevTask, signal: AbortSignal): Promise<Previewed> {
  const path = resolve(task.file)
  const files = new Map([[path, stampOf(path)]])
  const worker = new Worker(new URL(import.meta.resolve('#dev-worker')), { workerData: task })
  const done = Promise.withResolvers<Previewed['news']>()
  worker.on('message', (news: DevNews) => {
    if (news.kind === 'loaded') files.set(news.path, news.stamp)
    else done.resolve(news)
  })
  worker.once('error', (error) => done.resolve({ kind: 'failed', message: messageOf(error) }))
  worker.once('exit', () => done.resolve(undefined))
  try {
    return { news: await untilAborted(done.promise, signal), files }
  } finally {
    await worker.terminate()
  }
}

/** Resolves once a file is another than it was. */
async function changed(files: Previewed['files'], signal: AbortSignal): Promise<void> {
  while ([...files].every(([path, stamp]) => stampOf(path) === stamp)) await systemClock.sleep(LOOK_MS, signal)
}
