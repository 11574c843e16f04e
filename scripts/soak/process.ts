// A pipeline in a process of its own: killed, started again, and watched.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT } from '../../test/support/project.ts'

/** What a process holds. */
export interface Held {
  readonly megabytes: number
  readonly descriptors: number
}

export class PipelineProcess {
  readonly name: string
  readonly #args: readonly string[]
  #child: ChildProcess | undefined
  #isOver = false
  #said = ''
  /** Ends that nobody had asked for. */
  readonly unasked: string[] = []

  constructor(name: string, module: string, params: Readonly<Record<string, string>>) {
    this.name = name
    const given = Object.entries(params).flatMap(([param, value]) => ['--param', `${param}=${value}`])
    this.#args = ['--conditions=sluice-source', join(ROOT, 'src/cli/bin.ts'), 'run', module, '--quiet', ...given]
  }

  start(): void {
    this.#said = ''
    const child = spawn(process.execPath, this.#args, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#child = child
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-2000)
    })
    child.once('exit', (code, signal) => {
      if (this.#isOver || this.#child !== child) return
      this.unasked.push(`${this.name} ended with ${signal ?? code}: ${this.#said}`)
      void sleep(1000).then(() => {
        if (!this.#isOver && this.#child === child) this.start()
      })
    })
  }

  /** Kills it, and starts it again. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child?.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    this.start()
  }

  /** Drains it. */
  async stop(): Promise<void> {
    this.#isOver = true
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    await Promise.race([once(child, 'exit'), sleep(60_000)])
    child.kill('SIGKILL')
  }

  /** Undefined where it does not run, or the system does not tell. */
  held(): Held | undefined {
    const pid = this.#child?.pid
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1])
      return { megabytes: Math.round(kilobytes / 1000), descriptors: readdirSync(`/proc/${pid}/fd`).length }
    } catch {
      return undefined
    }
  }
}
