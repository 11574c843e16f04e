// Where a pipeline stands: what its last commit holds, and how far the sinks that follow have come.

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { DetailsProps } from './details-props.ts'
import { bytesText, countText } from './words.ts'

interface BranchCheckpoint {
  readonly branch: string
  readonly committed?: string
  readonly error?: string
  readonly totals?: { readonly loaded: number; readonly dead: number }
}

interface Checkpoint {
  readonly pipeline: string
  readonly epoch?: number
  readonly error?: string
  readonly committed?: string
  readonly holder?: string
  readonly positions?: readonly { readonly split: string; readonly position: string }[]
  readonly allPositions?: number
  readonly stateBytes?: number
  readonly branches?: readonly BranchCheckpoint[]
  readonly allBranches?: number
}

export function CheckpointPanel({ run, connection }: DetailsProps): JSX.Element {
  const [found, setFound] = useState<Checkpoint>()
  const [trouble, setTrouble] = useState('')
  const ask = async (): Promise<void> => {
    setTrouble('')
    try {
      const { checkpoints } = await connection.ask<{ readonly checkpoints: readonly Checkpoint[] }>('api/checkpoints')
      setFound(checkpoints.find(({ pipeline }) => pipeline === run.pipeline))
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error))
    }
  }
  useEffect(() => void ask(), [run.pipeline])
  const { committed, holder, positions = [], allPositions = 0, stateBytes = 0 } = found ?? {}
  const { branches = [], allBranches = 0 } = found ?? {}
  const error = found?.error ?? trouble
  return (
    <div class="checkpoint">
      <p class="tools">
        <span>{found?.epoch === 0 ? 'Nothing was committed yet.' : committed}</span>
        <button type="button" onClick={() => void ask()}>
          Refresh
        </button>
      </p>
      {error !== '' && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      {committed !== undefined && (
        <>
          <p>
            {holder === undefined ? 'Nobody holds it.' : `Held by ${holder}.`} States:{' '}
            {stateBytes === 0 ? 'none' : bytesText(stateBytes)}.
          </p>
          <table>
            <caption>{`${countText(allPositions)} ${allPositions === 1 ? 'position' : 'positions'}`}</caption>
            <thead>
              <tr>
                <th scope="col">Split</th>
                <th scope="col">Read up to</th>
              </tr>
            </thead>
            <tbody>
              {positions.map(({ split, position }) => (
                <tr key={split}>
                  <td>{split}</td>
                  <td>
                    <code>{position}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {allPositions > positions.length && (
            <p class="nothing">and {countText(allPositions - positions.length)} more: see sluice checkpoints</p>
          )}
        </>
      )}
      {branches.length > 0 && <Branches branches={branches} all={allBranches} />}
    </div>
  )
}

/** How far the sinks have come that follow the first one. */
function Branches({ branches, all }: { branches: readonly BranchCheckpoint[]; all: number }): JSX.Element {
  return (
    <>
      <table>
        <caption>{`${countText(all)} ${all === 1 ? 'branch' : 'branches'}`}</caption>
        <thead>
          <tr>
            <th scope="col">Branch</th>
            <th scope="col" class="number">
              Rows
            </th>
            <th scope="col" class="number">
              Refused
            </th>
            <th scope="col">Committed</th>
          </tr>
        </thead>
        <tbody>
          {branches.map(({ branch, committed = 'Nothing yet.', error, totals }) => (
            <tr key={branch}>
              <td>{branch}</td>
              <td class="number">{countText(totals?.loaded ?? 0)}</td>
              <td class="number">{countText(totals?.dead ?? 0)}</td>
              <td>{error === undefined ? committed : <p class="error">{error}</p>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {all > branches.length && (
        <p class="nothing">and {countText(all - branches.length)} more: see sluice checkpoints --branch</p>
      )}
    </>
  )
}
