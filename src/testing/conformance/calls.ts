// The calls of a contract that a suite makes, so that what fails can say which of them it was, and where.

import { AssertionError } from 'node:assert'
import { messageOf } from '../../base/errors.ts'
import { isPromise } from '../../base/promise.ts'

/** Calls that are named by a failure: the last ones. */
const NAMED = 4
const LONGEST = 100

/** What these calls return has calls of its own. */
const OPENED: Readonly<Record<string, string>> = {
  open: 'reader',
  openBeside: 'writer',
  dryRun: 'writer',
  inspect: 'inspector',
}

/** Notes the calls of one test. */
export class Calls {
  readonly #made: string[] = []

  /** The same object, whose calls are noted under a name; so are those of readers and writers that it opens. */
  of<T extends object>(name: string, target: T): T {
    return new Proxy(target, {
      get: (_, key) => {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function' || typeof key === 'symbol') return value
        return (...args: unknown[]) => {
          this.#note(`${name}.${key}(${args.map(shown).join(', ')})`)
          const opens = OPENED[key]
          const result: unknown = value.apply(target, args)
          if (opens === undefined) return result
          const own = opens === 'reader' && name === 'sink' ? 'writer' : opens
          return isPromise(result) ? result.then((opened) => this.of(own, opened as object)) : result
        }
      },
    })
  }

  /** Runs a check; what it throws says which rule it was, and the last calls. */
  async under(rule: string, check: () => void | Promise<void>): Promise<void> {
    try {
      await check()
    } catch (error) {
      const calls = this.#made.map((call) => `\n    ${call}`).join('')
      const message = `${messageOf(error)}\n\n  rule: ${rule}\n  last calls:${calls || ' none'}`
      if (!(error instanceof AssertionError)) throw new Error(message, { cause: error })
      const { actual, expected } = error
      throw new AssertionError({ message, actual, expected })
    }
  }

  #note(call: string): void {
    this.#made.push(call)
    if (this.#made.length > NAMED) this.#made.shift()
  }
}

/** An argument in a few words: events by how many they are, signals by whether they are aborted. */
function shown(value: unknown): string {
  if (value instanceof AbortSignal) return value.aborted ? 'an aborted signal' : 'a signal'
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return cut(JSON.stringify(value) ?? 'undefined')
  const { length, values } = value as { readonly length?: unknown; readonly values?: unknown }
  if (typeof length === 'number' && typeof values === 'function')
    return `${length} of ${Array.isArray(value) ? 'an array' : 'a batch'}`
  if (value instanceof Map) return `a map of ${value.size}`
  const entries = Object.entries(value).map(([name, one]) => `${name}: ${shown(one)}`)
  return cut(`{ ${entries.join(', ')} }`)
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}
