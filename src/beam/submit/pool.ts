// A pool of workers: starts a Node process for each that an engine asks for.

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { loadMessages, type Messages } from '../wire/messages.ts'
import { START_WORKER, STOP_WORKER } from '../wire/names.ts'
import { answering, GrpcServer, type ListenOptions } from '../wire/server.ts'

export interface PoolOptions extends ListenOptions {
  readonly messages: Messages
  /** Modules below this folder can be run, and no others. */
  readonly root: string
  /** The heap limit of a worker, in MB; Node's own limit if undefined. */
  readonly heapMb?: number | undefined
  /** Receives what a person may want to know, one line each. */
  readonly onNote: (note: string) => void
}

/** A pool, with the library that it needs. */
export async function openPool(options: Omit<PoolOptions, 'messages'>): Promise<WorkerPool> {
  return await WorkerPool.listen({ ...options, messages: await loadMessages() })
}

/** How long to wait for news of a worker that the engine has lost. */
const LOST_MS = 500
/** How long a worker that was told to stop has to end by itself. */
const STOP_MS = 1000

/** Listens until it is disposed of; its workers end with it. */
export class WorkerPool implements AsyncDisposable {
  readonly #options: PoolOptions
  readonly #workers = new Set<ChildProcess>()
  #server: GrpcServer | undefined
  /** How the first worker ended that was not told to end. */
  readonly #lost = Promise.withResolvers<string>()
  #isEnding = false

  private constructor(options: PoolOptions) {
    this.#options = options
  }

  static async listen(options: PoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options)
    const { read, write, StartWorkerRequestSchema, WorkerResponseSchema } = options.messages
    pool.#server = await GrpcServer.listen(
      {
        [START_WORKER]: answering((bytes) => {
          const { workerId, controlEndpoint, loggingEndpoint } = read(StartWorkerRequestSchema, bytes)
          const error = pool.#start(workerId, controlEndpoint?.url ?? '', loggingEndpoint?.url ?? '')
          return write(WorkerResponseSchema, { error })
        }),
        // Names of workers are not unique among the hosts of an engine: one ends when its stream of instructions does.
        [STOP_WORKER]: answering(() => write(WorkerResponseSchema, {})),
      },
      options,
    )
    return pool
  }

  get port(): number {
    return this.#server?.port ?? 0
  }

  /** Workers at work. */
  get size(): number {
    return this.#workers.size
  }

  /** How a worker ended that was not told to: by a signal, or an exit code. The engine may notice it sooner. */
  async lost(): Promise<string | undefined> {
    return await Promise.race([this.#lost.promise, systemClock.sleep(LOST_MS).then(() => undefined)])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true
    await this.#server?.[Symbol.asyncDispose]()
    await Promise.all([...this.#workers].map(ended))
  }

  #start(id: string, control: string, logging: string): string {
    const { root, heapMb, onNote } = this.#options
    const main = fileURLToPath(import.meta.resolve('#beam-worker'))
    const heap = heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`]
    const args = [
      ...process.execArgv,
      ...heap,
      main,
      '--id',
      id,
      '--control',
      control,
      '--logging',
      logging,
      '--root',
      root,
    ]
    try {
      const worker = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
      this.#workers.add(worker)
      worker.stderr?.setEncoding('utf8').on('data', (text: string) => onNote(text.trimEnd()))
      worker.on('exit', (code, signal) => {
        this.#workers.delete(worker)
        if (code !== 0 && !this.#isEnding) this.#lost.resolve(signal ?? `exit code ${code}`)
      })
      worker.on('error', (error) => onNote(`Cannot start worker ${id}: ${messageOf(error)}`))
      return ''
    } catch (error) {
      return `Cannot start worker ${id}: ${messageOf(error)}`
    }
  }
}

/** Ends a worker: by itself if it does so soon, else at once. */
async function ended(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return
  const exit = new Promise((resolve) => worker.once('exit', resolve))
  const timer = setTimeout(() => worker.kill('SIGKILL'), STOP_MS)
  await exit
  clearTimeout(timer)
}
