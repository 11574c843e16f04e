// The buttons that control a run.

import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { RunSnapshot } from '../src/pipeline/snapshot.ts'
import type { Change, Connection } from './connection.ts'

interface SteeringProps {
  readonly run: RunSnapshot
  readonly connection: Connection
  readonly isLive: boolean
}

export function Steering({ run, connection, isLive }: SteeringProps): JSX.Element {
  const question = useRef<HTMLDialogElement>(null)
  const [isAsking, setAsking] = useState(false)
  const [trouble, setTrouble] = useState('')
  const { state, pipeline } = run
  const change = async (what: Change): Promise<void> => {
    setAsking(true)
    setTrouble('')
    try {
      await connection.change(what, pipeline)
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error))
    }
    setAsking(false)
  }
  const isOff = !isLive || isAsking
  const isOver = state === 'finished' || state === 'drained' || state === 'failed' || state === 'draining'
  return (
    <div class="steering">
      {state === 'paused' ? (
        <button type="button" class="main" disabled={isOff} onClick={() => void change('resume')}>
          Resume
        </button>
      ) : (
        <button
          type="button"
          disabled={isOff || isOver}
          title="Stops reading until it is resumed; what was read is committed"
          onClick={() => void change('pause')}
        >
          Pause
        </button>
      )}
      <button
        type="button"
        disabled={isOff || isOver}
        title="Finishes and commits what was read, and ends the run"
        onClick={() => question.current?.showModal()}
      >
        Drain
      </button>
      {trouble !== '' && (
        <p class="error" role="alert">
          {trouble}
        </p>
      )}
      <dialog ref={question} aria-labelledby="drain-title">
        <h3 id="drain-title">Drain {pipeline}?</h3>
        <p>What was read is finished and committed, and the run ends. The next run continues from there.</p>
        <div class="choice">
          <button type="button" onClick={() => question.current?.close()}>
            Keep it running
          </button>
          <button
            type="button"
            class="main"
            onClick={() => {
              question.current?.close()
              void change('drain')
            }}
          >
            Drain it
          </button>
        </div>
      </dialog>
    </div>
  )
}
