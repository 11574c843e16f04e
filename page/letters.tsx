// Dead letters by the page.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { DetailsProps } from './details.tsx'
import { countText } from './words.ts'

interface Letter {
  readonly source: string
  readonly line: number
  readonly offset: number
  readonly step: string
  readonly part: number
  readonly reason: string
  readonly epoch: number
  readonly timeMs: number
  readonly raw: string
}

interface Found {
  readonly letters: readonly Letter[]
  readonly next?: string
}

/** More are looked at with the command line. */
const MOST_SHOWN = 1000

export function LettersPanel({ run, connection }: DetailsProps): JSX.Element {
  const [letters, setLetters] = useState<readonly Letter[]>()
  const [next, setNext] = useState<string>()
  const [trouble, setTrouble] = useState('')
  const [isAsking, setAsking] = useState(false)
  const ask = async (after: string | undefined): Promise<void> => {
    setAsking(true)
    setTrouble('')
    try {
      const query = new URLSearchParams({ pipeline: run.pipeline, ...(after === undefined ? {} : { after }) })
      const found = await connection.ask<Found>(`api/dead-letters?${query}`)
      setLetters((before = []) => (after === undefined ? found.letters : [...before, ...found.letters]))
      setNext(found.next)
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error))
    }
    setAsking(false)
  }
  useEffect(() => void ask(undefined), [run.pipeline])
  const isFull = (letters?.length ?? 0) >= MOST_SHOWN
  return (
    <div class="letters">
      <p class="tools">
        <span>
          {letters === undefined ? '' : `${countText(letters.length)} of ${countText(run.overall.dead)} committed`}
        </span>
        <button type="button" disabled={isAsking} onClick={() => void ask(undefined)}>
          Look again
        </button>
      </p>
      {trouble !== '' && (
        <p class="error" role="alert">
          {trouble}
        </p>
      )}
      {letters?.length === 0 && <p class="nothing">No dead letters.</p>}
      <ul>
        {letters?.map(({ source, line, offset, step, part, reason, epoch, raw }) => (
          <li key={`${source} ${offset} ${step} ${part}`}>
            <p>
              <strong>{reason}</strong>
              <span class="more">
                {step} · epoch {countText(epoch)}
              </span>
            </p>
            <p class="place">
              {source}
              {line > 0 ? `:${line}` : ''}
            </p>
            <pre>{raw}</pre>
          </li>
        ))}
      </ul>
      {next !== undefined && !isFull && (
        <button type="button" disabled={isAsking} onClick={() => void ask(next)}>
          Show more
        </button>
      )}
      {next !== undefined && isFull && <p class="nothing">For more of them, use sluice dead-letters.</p>}
    </div>
  )
}
