// Where a pipeline stands: its last checkpoint, and how far its branches have come.

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

interface ShardCheckpoint {
  readonly shard: string
  readonly committed?: string
  readonly holder?: string
  readonly isMissing: boolean
  readonly totals: { readonly loaded: number; readonly dead: number }
}

interface Checkpoint {
  readonly pipeline: string
  readonly epoch?: number
  readonly error?: string
  readonly committed?: string
  readonly holder?: string
  readonly totals?: { readonly loaded: number; readonly dead: number }
  readonly shards?: readonly ShardCheckpoint[]
  readonly allShards?: number
  readonly missingShards?: number
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
  const { branches = [], allBranches = 0, shards = [], allShards = 0, missingShards = 0, totals } = found ?? {}
  const error = found?.error ?? trouble
  return (
    <div class="checkpoint">
      <p class="tools">
        <span>{found?.epoch === 0 ? 'Nothing has been committed yet.' : committed}</span>
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
            {shards.length === 0 && (holder === undefined ? 'No run holds it. ' : `Held by ${holder}. `)}
            States: {stateBytes === 0 ? 'none' : bytesText(stateBytes)}.
          </p>
          {totals !== undefined && shards.length > 0 && (
            <Shards shards={shards} all={allShards} missing={missingShards} totals={totals} />
          )}
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

interface ShardsProps {
  readonly shards: readonly ShardCheckpoint[]
  readonly all: number
  readonly missing: number
  readonly totals: { readonly loaded: number; readonly dead: number }
}

/** The copies that share the pipeline, and what all of them have loaded, in former numbers, too. */
function Shards({ shards, all, missing, totals }: ShardsProps): JSX.Element {
  return (
    <>
      <table>
        <caption>{`${countText(all)} shards${missing === 0 ? '' : `, ${countText(missing)} missing`}`}</caption>
        <thead>
          <tr>
            <th scope="col">Shard</th>
            <th scope="col" class="number">
              Loaded
            </th>
            <th scope="col" class="number">
              Dead
            </th>
            <th scope="col">Committed</th>
            <th scope="col">Held by</th>
          </tr>
        </thead>
        <tbody>
          {shards.map(({ shard, committed = 'Nothing yet.', holder = 'Nobody.', isMissing, totals }) => (
            <tr key={shard}>
              <td>{shard}</td>
              <td class="number">{countText(totals.loaded)}</td>
              <td class="number">{countText(totals.dead)}</td>
              <td>{isMissing ? <p class="error">Missing: it never started.</p> : committed}</td>
              <td>{isMissing ? '' : holder}</td>
            </tr>
          ))}
          <tr>
            <td>All</td>
            <td class="number">{countText(totals.loaded)}</td>
            <td class="number">{countText(totals.dead)}</td>
            <td />
            <td />
          </tr>
        </tbody>
      </table>
      {all > shards.length && <p class="nothing">and {countText(all - shards.length)} more: see sluice checkpoints</p>}
    </>
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
