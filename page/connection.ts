// The connection to the process: snapshots as they come, requests, and what to do when it is lost.

import type { RunSnapshot } from '../src/pipeline/snapshot.ts'

/**
 * - `connecting`: nothing has arrived yet
 * - `live`: snapshots arrive
 * - `lost`: nothing arrives; it is retrying
 * - `ended`: the process has announced its end; it retries anyway, as another process may follow
 * - `locked`: it requires its token
 */
export type Tie = 'connecting' | 'live' | 'lost' | 'ended' | 'locked'

export interface Listener {
  readonly onRuns: (runs: readonly RunSnapshot[]) => void
  readonly onTie: (tie: Tie) => void
}

export type Change = 'pause' | 'resume' | 'drain'

/** Without a snapshot for this long, the process hangs or cannot be reached. */
const SILENCE_MS = 6000
const AGAIN_MS = 1500

export class Connection {
  readonly #listener: Listener
  #changeToken = ''
  #events: EventSource | undefined
  #silence: ReturnType<typeof setTimeout> | undefined
  #again: ReturnType<typeof setTimeout> | undefined

  constructor(listener: Listener) {
    this.#listener = listener
  }

  async open(): Promise<void> {
    this.close()
    let response: Response
    try {
      response = await fetch('api/session', { signal: AbortSignal.timeout(SILENCE_MS) })
      if (response.status === 401) return this.#listener.onTie('locked')
      if (!response.ok) throw new Error(await reasonOf(response))
      this.#changeToken = (await response.json()).changeToken
    } catch {
      return this.#lost('lost')
    }
    const events = new EventSource('api/events')
    this.#events = events
    events.addEventListener('snapshot', ({ data }) => {
      this.#expectMore()
      this.#listener.onTie('live')
      this.#listener.onRuns(JSON.parse(data).runs)
    })
    events.addEventListener('end', () => this.#lost('ended'))
    events.addEventListener('error', () => this.#lost('lost'))
    this.#expectMore()
  }

  close(): void {
    this.#events?.close()
    this.#events = undefined
    clearTimeout(this.#silence)
    clearTimeout(this.#again)
  }

  /**
   * @throws {Error} with the answer of the process, or that it did not answer
   */
  async signIn(token: string): Promise<void> {
    await this.#post('api/sign-in', { token })
    await this.open()
  }

  async change(change: Change, pipeline: string): Promise<void> {
    await this.#post(`api/${change}`, { pipeline })
  }

  async ask<T>(path: string): Promise<T> {
    const response = await fetch(path, { signal: AbortSignal.timeout(30_000) })
    if (!response.ok) throw new Error(await reasonOf(response))
    return await response.json()
  }

  async #post(path: string, body: object): Promise<void> {
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-sluice-token': this.#changeToken },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    })
    if (!response.ok) throw new Error(await reasonOf(response))
  }

  #expectMore(): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => this.#lost('lost'), SILENCE_MS)
  }

  #lost(tie: 'lost' | 'ended'): void {
    this.close()
    this.#listener.onTie(tie)
    this.#again = setTimeout(() => void this.open(), AGAIN_MS)
  }
}

async function reasonOf(response: Response): Promise<string> {
  try {
    const { error } = await response.json()
    if (typeof error === 'string') return error
  } catch {
    // Not from the dashboard: the status says enough.
  }
  return `The process answered ${response.status}`
}
