// The routes of the dashboard, and how each is answered.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { isSluiceError, messageOf } from '../base/errors.ts'
import { EXPOSITION_TYPE } from '../observe/exposition.ts'
import { jsonLine } from '../observe/json.ts'
import type { RunSnapshot, RunState } from '../pipeline/snapshot.ts'
import { prometheusText } from '../telemetry/prometheus.ts'
import { type Answer, AnswerError, bodyOf, jsonAnswer, send } from './answer.ts'
import { BUILT_PAGE } from './built-page.ts'
import { Feed } from './feed.ts'
import type { Guard } from './guard.ts'
import { StoredState } from './stored-state.ts'
import type { WatchedRun } from './watched.ts'

type Change = 'pause' | 'resume' | 'drain'

/** The states in which each change has an effect. */
const CHANGES: Readonly<Record<Change, readonly RunState[]>> = {
  pause: ['running', 'waiting'],
  resume: ['paused', 'waiting'],
  drain: ['running', 'paused', 'waiting'],
}

interface Asked {
  readonly request: IncomingMessage
  readonly query: URLSearchParams
}

interface Route {
  readonly method: 'GET' | 'POST'
  /** Whether it is answered without a token; it then reveals nothing about runs. */
  readonly isOpen?: boolean
  readonly answer: (asked: Asked) => Answer | Promise<Answer>
}

export class Routes {
  readonly #guard: Guard
  readonly #runs: () => readonly WatchedRun[]
  readonly #feed: Feed
  readonly #kept = new StoredState()
  readonly #table: ReadonlyMap<string, Route>

  constructor(guard: Guard, runs: () => readonly WatchedRun[]) {
    this.#guard = guard
    this.#runs = runs
    this.#feed = new Feed(() => jsonLine({ runs: this.#snapshots() }))
    this.#table = new Map<string, Route>([
      ['/healthz', { method: 'GET', isOpen: true, answer: () => jsonAnswer({ state: 'alive' }) }],
      ['/readyz', { method: 'GET', isOpen: true, answer: () => this.#ready() }],
      ['/metrics', { method: 'GET', answer: () => this.#metrics() }],
      ['/api/snapshot', { method: 'GET', answer: () => jsonAnswer({ runs: this.#snapshots() }) }],
      ['/api/session', { method: 'GET', answer: () => jsonAnswer({ changeToken: guard.changeToken }) }],
      ['/api/sign-in', { method: 'POST', isOpen: true, answer: (asked) => this.#signIn(asked) }],
      ['/api/dead-letters', { method: 'GET', answer: (asked) => this.#letters(asked) }],
      ['/api/checkpoints', { method: 'GET', answer: () => this.#checkpoints() }],
      ['/api/pause', { method: 'POST', answer: (asked) => this.#change('pause', asked) }],
      ['/api/resume', { method: 'POST', answer: (asked) => this.#change('resume', asked) }],
      ['/api/drain', { method: 'POST', answer: (asked) => this.#change('drain', asked) }],
    ])
  }

  /** Answers a request. Never throws. */
  async onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response)
    } catch (error) {
      const status = error instanceof AnswerError ? error.status : isSluiceError(error) ? 503 : 500
      if (response.headersSent) return void response.destroy()
      // The rest of a rejected body is not read.
      if (!request.complete) response.shouldKeepAlive = false
      send(response, jsonAnswer({ error: messageOf(error) }, { status }))
    }
  }

  close(): void {
    this.#feed.close()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', headers, url = '' } = request
    const asking = { method, headers }
    const refuse = (refusal: { readonly status: number; readonly why: string } | undefined): void => {
      if (refusal !== undefined) throw new AnswerError(refusal.status, refusal.why)
    }
    refuse(this.#guard.refuseStranger(asking))
    if (!url.startsWith('/')) throw new AnswerError(400, 'A path is required')
    const [path = '', search = ''] = url.split('?', 2)
    const isReading = method === 'GET' || method === 'HEAD'
    const file = pageFile(path, headers['accept-encoding'])
    if (file !== undefined) {
      if (!isReading) throw notAllowed(response, 'GET, HEAD')
      return send(response, file)
    }
    refuse(this.#guard.refuseForeignPage(asking))
    const isFeed = path === '/api/events'
    const route = this.#table.get(path)
    if (route === undefined && !isFeed) throw new AnswerError(404, 'There is nothing here')
    if (route?.isOpen !== true) refuse(this.#guard.refuseUnknown(asking))
    const allowed = route?.method === 'POST' ? 'POST' : 'GET, HEAD'
    if (isReading === (allowed === 'POST') || !(isReading || method === 'POST')) throw notAllowed(response, allowed)
    if (route === undefined) return this.#follow(method, response)
    if (route.method === 'POST' && route.isOpen !== true) refuse(this.#guard.refuseChange(asking))
    send(response, await route.answer({ request, query: new URLSearchParams(search) }))
  }

  #snapshots(): readonly RunSnapshot[] {
    return this.#runs().map((run) => run.snapshot())
  }

  #follow(method: string, response: ServerResponse): void {
    if (method === 'HEAD') return send(response, { type: 'text/event-stream', body: '' })
    if (!this.#feed.hasRoom) {
      response.setHeader('retry-after', '5')
      throw new AnswerError(503, 'Too many clients are following the runs already')
    }
    this.#feed.add(response)
  }

  /** Whether all runs are healthy; names none of them. */
  #ready(): Answer {
    const states = this.#snapshots().map(({ state }) => state)
    const isReady = states.length > 0 && !states.some((state) => state === 'failed' || state === 'waiting')
    return jsonAnswer({ state: isReady ? 'ready' : 'not ready' }, { status: isReady ? 200 : 503 })
  }

  #metrics(): Answer {
    return { type: EXPOSITION_TYPE, body: prometheusText(this.#snapshots()) }
  }

  async #signIn({ request }: Asked): Promise<Answer> {
    const { token } = await bodyOf(request)
    const cookie = typeof token === 'string' ? this.#guard.signIn(token, asAsking(request)) : undefined
    if (cookie === undefined) throw new AnswerError(401, 'The token is wrong')
    return jsonAnswer({ state: 'signed in' }, { headers: { 'set-cookie': cookie } })
  }

  async #letters({ query }: Asked): Promise<Answer> {
    const run = this.#named(query.get('pipeline'))
    const after = query.get('after') ?? undefined
    return jsonAnswer(await this.#kept.letters(run, { after, branch: query.get('branch') ?? undefined }))
  }

  async #checkpoints(): Promise<Answer> {
    const found: object[] = []
    for (const run of this.#runs()) found.push(await this.#kept.checkpoint(run))
    return jsonAnswer({ checkpoints: found })
  }

  async #change(change: Change, { request }: Asked): Promise<Answer> {
    const { pipeline } = await bodyOf(request)
    const run = this.#named(typeof pipeline === 'string' ? pipeline : null)
    const { state } = run.snapshot()
    if (!CHANGES[change].includes(state)) throw new AnswerError(409, `Cannot ${change} ${run.pipeline}: it is ${state}`)
    if (change === 'pause') run.pause()
    else if (change === 'resume') run.resume()
    else run.drain('requested on the dashboard').catch(() => {}) // The outcome is reported to whoever awaits the run.
    return jsonAnswer({ pipeline: run.pipeline, state: run.snapshot().state })
  }

  /** The only run, or the one of that name. */
  #named(name: string | null): WatchedRun {
    const runs = this.#runs()
    const found = name === null && runs.length === 1 ? runs[0] : runs.find(({ pipeline }) => pipeline === name)
    if (found === undefined)
      throw new AnswerError(404, name === null ? 'Name the pipeline' : 'There is no such pipeline')
    return found
  }
}

function asAsking({ method = '', headers }: IncomingMessage): Parameters<Guard['signIn']>[1] {
  return { method, headers }
}

function notAllowed(response: ServerResponse, allow: string): AnswerError {
  response.setHeader('allow', allow)
  return new AnswerError(405, `Only ${allow} is allowed here`)
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

const packed = new Map(Object.entries(BUILT_PAGE).map(([name, text]) => [`/${name}`, Buffer.from(text, 'base64')]))

/** The file at a path; undefined if there is no such file. */
function pageFile(path: string, accepted: string | string[] | undefined): Answer | undefined {
  const name = path === '/' ? '/index.html' : path
  const body = packed.get(name)
  const type = TYPES[name.slice(name.lastIndexOf('.') + 1)]
  if (body === undefined || type === undefined) return undefined
  if (!/\bgzip\b/.test(`${accepted}`)) return { type, body: gunzipSync(body), headers: { vary: 'accept-encoding' } }
  return { type, body, headers: { 'content-encoding': 'gzip', vary: 'accept-encoding' } }
}
