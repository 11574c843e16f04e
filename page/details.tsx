// The details: stages, dead letters, the checkpoint, and recent events.

import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { CheckpointPanel } from './checkpoint.tsx'
import { DeadLettersPanel } from './dead-letters.tsx'
import type { DetailsProps } from './details-props.ts'
import { StagesPanel } from './stages.tsx'
import { timeText } from './words.ts'

const TABS = ['Stages', 'Dead letters', 'Checkpoint', 'Events'] as const
type Tab = (typeof TABS)[number]

export function Details(props: DetailsProps): JSX.Element {
  const [tab, setTab] = useState<Tab>('Stages')
  const list = useRef<HTMLDivElement>(null)
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = TABS.indexOf(tab)
    const steps: Readonly<Record<string, number>> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }
    const next = TABS.at((steps[event.key] ?? Number.NaN) % TABS.length)
    if (!Object.hasOwn(steps, event.key) || next === undefined) return
    event.preventDefault()
    setTab(next)
    list.current?.querySelectorAll('button')[TABS.indexOf(next)]?.focus()
  }
  return (
    <section class="details" aria-label="Details">
      <div role="tablist" aria-label="Details" ref={list} onKeyDown={onKeyDown}>
        {TABS.map((name, at) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${at}`}
            aria-selected={name === tab}
            aria-controls="panel"
            tabIndex={name === tab ? 0 : -1}
            onClick={() => setTab(name)}
          >
            {name}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a panel that scrolls is reached by keyboard */}
      <div role="tabpanel" id="panel" aria-labelledby={`tab-${TABS.indexOf(tab)}`} tabIndex={0}>
        {tab === 'Stages' && <StagesPanel {...props} />}
        {tab === 'Dead letters' && <DeadLettersPanel key={props.run.pipeline} {...props} />}
        {tab === 'Checkpoint' && <CheckpointPanel {...props} />}
        {tab === 'Events' && <NoticesPanel {...props} />}
      </div>
    </section>
  )
}

function NoticesPanel({ run }: DetailsProps): JSX.Element {
  if (run.notices.length === 0) return <p class="nothing">Nothing has happened yet.</p>
  return (
    <ol class="notices">
      {[...run.notices].reverse().map(({ atMs, kind, text }, at) => (
        <li key={run.notices.length - at} class={kind}>
          <time dateTime={new Date(atMs).toISOString()}>{timeText(atMs)}</time>
          <span class="what">{kind}</span>
          <span>{text}</span>
        </li>
      ))}
    </ol>
  )
}
