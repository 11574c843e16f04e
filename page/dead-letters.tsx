// Dead letters by the page.

import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { DetailsProps } from './details-props.ts'
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
  readonly branches: readonly string[]
  readonly letters: readonly Letter[]
  readonly next?: string
}

/** More can be seen with the command line. */
const MOST_SHOWN = 1000

export function DeadLettersPanel({ run, connection }: DetailsProps): JSX.Element {
  const [letters, setLetters] = useState<readonly Letter[]>()
  const [next, setNext] = useState<string>()
  const [branches, setBranches] = useState<readonly string[]>([])
  /** The branch whose dead letters are shown; '' for the main sink. */
  const [branch, setBranch] = useState('')
  const [trouble, setTrouble] = useState('')
  const [isAsking, setAsking] = useState(false)
  const asked = useRef(0)
  const ask = async (after: string | undefined): Promise<void> => {
    asked.current += 1
    const turn = asked.current
    setAsking(true)
    setTrouble('')
    try {
      const query = new URLSearchParams({ pipeline: run.pipeline })
      if (after !== undefined) query.set('after', after)
      if (branch !== '') query.set('branch', branch)
      const found = await connection.ask<Found>(`api/dead-letters?${query}`)
      // Another branch was chosen meanwhile.
      if (turn !== asked.current) return
      setLetters((before = []) => (after === undefined ? found.letters : [...before, ...found.letters]))
      setNext(found.next)
      setBranches(found.branches)
    } catch (error) {
      if (turn === asked.current) setTrouble(error instanceof Error ? error.message : String(error))
    }
    if (turn === asked.current) setAsking(false)
  }
  const choose = (name: string): void => {
    setLetters(undefined)
    setNext(undefined)
    setBranch(name)
  }
  useEffect(() => void ask(undefined), [run.pipeline, branch])
  const isFull = (letters?.length ?? 0) >= MOST_SHOWN
  return (
    <div class="letters">
      <p class="tools">
        <span>
          {letters !== undefined &&
            (branch === ''
              ? `${countText(letters.length)} of ${countText(run.overall.dead)} committed`
              : `${countText(letters.length)} rejected by ${branch}`)}
        </span>
        {branches.length > 0 && (
          <label>
            Refused by{' '}
            <select value={branch} onChange={({ currentTarget }) => choose(currentTarget.value)}>
              <option value="">the pipeline and its first sink</option>
              {branches.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        <button type="button" disabled={isAsking} onClick={() => void ask(undefined)}>
          Refresh
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
