import { deepEqual, equal } from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { type CliOptions, sluice } from './support/cli.ts'
import { numbersIn, upTo } from './support/live-load.ts'
import { ROOT } from './support/project.ts'
import { until } from './support/until.ts'

const folder = tempFolder('sluice-stdin-')

const JOB = join(ROOT, 'test', 'jobs', 'standard-input.ts')
const lines = (numbers: readonly number[]) => numbers.map((n) => `{"n":${n}}\n`).join('')

let outs = 0

describe('standard input', () => {
  for (const threads of [[], ['--threads', '2']]) {
    const where = threads.length === 0 ? 'without workers' : 'on workers'

    const load = async (options: CliOptions & { readonly onChild?: (child: ChildProcess, out: string) => unknown }) => {
      outs += 1
      const out = join(folder, `${outs}.db`)
      const argv = ['run', JOB, '--epoch-ms', '50', ...threads, '--param', `out=${out}`]
      const outcome = await sluice(argv, {
        onStart(child) {
          child.stdin?.on('error', () => {})
          void options.onChild?.(child, out)
        },
        ...options,
      })
      return { ...outcome, numbers: numbersIn(out) }
    }

    it(`is read as it comes, ${where}: committed by the epoch, and drained when told to stop`, async () => {
      const { code, stderr, numbers } = await load({
        stdin: 'pipe',
        async onChild(child, out) {
          for (const n of upTo(3)) {
            child.stdin?.write(lines([n]))
            await until(() => numbersIn(out).length === n, `line ${n}`)
          }
          // A line that nobody ends.
          child.stdin?.write('{"n":')
          child.kill('SIGTERM')
        },
      })
      equal(code, 143, stderr)
      deepEqual(numbers, [1, 2, 3])
    })

    it(`ends when it is told to before anything came, ${where}`, async () => {
      const { code, stderr } = await load({
        stdin: 'pipe',
        async onChild(child) {
          child.stdin?.write('{')
          if (child.stderr !== null) await once(child.stderr, 'data') // It says what it loads.
          child.kill('SIGTERM')
        },
      })
      equal(code, 143, stderr)
    })

    it(`is read to its end, ${where}: a socket, a pipe, a file`, async () => {
      const all = upTo(20_000)
      const path = join(folder, 'numbers.ndjson')
      writeFileSync(path, lines(all))
      const socket = await load({ stdin: 'pipe', onChild: ({ stdin }) => stdin?.end(lines(all)) })
      const pipe = await load({ under: ['sh', '-c', `cat '${path}' | "$@"`, 'sh'] })
      const descriptor = openSync(path, 'r')
      const file = await load({ stdin: descriptor })
      closeSync(descriptor)
      for (const { code, stderr, numbers } of [socket, pipe, file]) {
        equal(code, 0, stderr)
        deepEqual(numbers, all)
      }
    })
  }
})
