// The whole page: which pipeline is shown, its state, and the available actions.

import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { shownName } from '../src/pipeline/shown-name.ts'
import type { RunSnapshot } from '../src/pipeline/snapshot.ts'
import { Charts } from './charts.tsx'
import { Connection, type Tie } from './connection.ts'
import { Details } from './details.tsx'
import { Figures } from './figures.tsx'
import { Graph } from './graph.tsx'
import { bottleneckOf, History } from './history.ts'
import { SignIn } from './sign-in.tsx'
import { Steering } from './steering.tsx'
import { percentText, timeText } from './words.ts'

const STATES: Readonly<Record<RunSnapshot['state'], string>> = {
  running: 'running',
  paused: 'paused',
  waiting: 'waiting to retry',
  draining: 'draining',
  finished: 'finished',
  drained: 'drained',
  failed: 'failed',
}

export function App(): JSX.Element {
  const [tie, setTie] = useState<Tie>('connecting')
  const [runs, setRuns] = useState<readonly RunSnapshot[]>([])
  const [chosen, setChosen] = useState<string>()
  const [news, setNews] = useState('')
  const histories = useRef(new Map<string, History>())
  const connection = useMemo(() => {
    const onRuns = (next: readonly RunSnapshot[]): void => {
      for (const run of next) {
        const history = histories.current.get(run.pipeline) ?? new History()
        const before = history.last
        if (before !== undefined && before.startedMs !== run.startedMs) {
          setNews(`${run.pipeline} was started again at ${timeText(run.startedMs)}. It continues from its last commit.`)
        } else if (before !== undefined && run.restarts > before.restarts) {
          setNews(`${run.pipeline} restarted from its last commit at ${timeText(run.atMs)}.`)
        }
        history.push(run)
        histories.current.set(run.pipeline, history)
      }
      setRuns(next)
    }
    // A process that has ended does not answer: that is not news.
    const onTie = (next: Tie): void => setTie((tie) => (tie === 'ended' && next === 'lost' ? tie : next))
    return new Connection({ onRuns, onTie })
  }, [])
  useEffect(() => {
    void connection.open()
    return () => connection.close()
  }, [connection])

  const run = runs.find(({ pipeline }) => pipeline === chosen) ?? runs[0]
  const history = run === undefined ? undefined : histories.current.get(run.pipeline)
  useEffect(() => {
    document.title = run === undefined ? 'Sluice' : `${run.pipeline} · ${run.state}`
  }, [run?.pipeline, run?.state])

  return (
    <>
      <header class="top">
        <h1>
          <img src="icon.svg" alt="" width="24" height="24" /> Sluice
        </h1>
        {runs.length > 1 && (
          <nav aria-label="Pipelines">
            {runs.map(({ pipeline, state }) => (
              <button
                key={pipeline}
                type="button"
                class="pipeline"
                aria-pressed={pipeline === run?.pipeline}
                onClick={() => setChosen(pipeline)}
              >
                <span class={`dot ${state}`} aria-hidden="true" />
                {pipeline}
                <span class="hidden">, {STATES[state]}</span>
              </button>
            ))}
          </nav>
        )}
        <TieMark tie={tie} />
      </header>
      <div role="status" aria-live="polite">
        <TieNews tie={tie} lastMs={history?.last?.atMs} />
        {news !== '' && (
          <p class="news">
            {news}
            <button type="button" class="plain" onClick={() => setNews('')}>
              Dismiss
            </button>
          </p>
        )}
      </div>
      {tie === 'locked' && <SignIn connection={connection} />}
      {tie !== 'locked' && run !== undefined && history !== undefined && (
        <main class={tie === 'live' ? '' : 'old'} key={run.pipeline}>
          <section class="head" aria-label="Run">
            <div class="who">
              <h2>
                {shownName(run)} <span class={`state ${run.state}`}>{STATES[run.state]}</span>
              </h2>
              {run.source !== '' && (
                <p class="from">
                  {run.source} <span aria-hidden="true">→</span> <span class="hidden">into</span> {run.sink}
                </p>
              )}
            </div>
            <Steering run={run} connection={connection} isLive={tie === 'live'} />
          </section>
          {run.error !== undefined && (
            <p class="error" role="alert">
              {run.error}
            </p>
          )}
          <Figures run={run} history={history} />
          {run.layers.length > 0 && <Bottleneck run={run} />}
          {run.layers.length > 0 && <Graph run={run} history={history} />}
          <Charts history={history} />
          <Details run={run} history={history} connection={connection} />
        </main>
      )}
      {tie !== 'locked' && run === undefined && <p class="nothing">{NOTHING[tie]}</p>}
    </>
  )
}

const NOTHING: Readonly<Record<Tie, string>> = {
  connecting: 'Loading the runs …',
  live: 'No pipeline is running yet.',
  lost: 'The process does not answer.',
  ended: 'The process has ended.',
  locked: '',
}

const MARKS: Readonly<Record<Tie, string>> = {
  connecting: 'connecting',
  live: 'live',
  lost: 'no answer',
  ended: 'ended',
  locked: 'locked',
}

function TieMark({ tie }: { readonly tie: Tie }): JSX.Element {
  return (
    <span class={`tie ${tie}`}>
      <span class="dot" aria-hidden="true" />
      {MARKS[tie]}
    </span>
  )
}

function TieNews({ tie, lastMs }: { readonly tie: Tie; readonly lastMs: number | undefined }): JSX.Element | null {
  if (lastMs === undefined || (tie !== 'lost' && tie !== 'ended')) return null
  const what = tie === 'ended' ? 'The process has ended' : 'The process does not answer'
  return <p class="news">{`${what}; trying again. These figures are from ${timeText(lastMs)}.`}</p>
}

function Bottleneck({ run }: { readonly run: RunSnapshot }): JSX.Element {
  const layer = bottleneckOf(run)
  if (layer === undefined) return <p class="bottleneck calm">No bottleneck.</p>
  return (
    <p class="bottleneck">
      <strong>Layer {layer.number}</strong> is the bottleneck: <q>{layer.title}</q> was at work{' '}
      <strong>{percentText(layer.busyShare)}</strong> of the last seconds.
    </p>
  )
}
