// The main figures of a run.

import type { JSX } from 'preact'
import { earlierCommit } from '../src/pipeline/figures.ts'
import type { RunSnapshot } from '../src/pipeline/snapshot.ts'
import { type History, lagOf } from './history.ts'
import { bytesText, countText, percentText, rateText, spanText } from './words.ts'

export function Figures({ run, history }: { readonly run: RunSnapshot; readonly history: History }): JSX.Element {
  const { overall, read, dead, epoch, committedMs, commitTookMs, restarts, memoryBytes, doneBytes, totalBytes } = run
  const isOver = run.state === 'finished' || run.state === 'drained' || run.state === 'failed'
  const lag = lagOf(run)
  const open = Math.max(0, read - run.run.read)
  return (
    <>
      <dl class="figures">
        <Figure
          name="Read"
          value={`${rateText(isOver ? 0 : history.readRate)}/s`}
          more={`${countText(read)} in this run`}
        />
        <Figure name="Loaded" value={countText(overall.loaded)} more={`${countText(run.run.loaded)} by this run`} />
        <Figure
          name="Dead letters"
          value={countText(dead)}
          more={`${countText(overall.dead)} committed in all runs`}
          tone={dead > 0 ? 'warn' : ''}
        />
        <Figure
          name="Last commit"
          value={
            committedMs === undefined
              ? epoch === 0
                ? 'none'
                : 'earlier'
              : `${spanText(Math.max(0, run.atMs - committedMs))} ago`
          }
          more={
            committedMs === undefined
              ? earlierCommit(epoch)
              : `epoch ${countText(epoch)}, took ${spanText(commitTookMs)}`
          }
        />
        <Figure name="Not committed" value={countText(open)} more="records read" />
        <Figure name="Event time lag" value={spanText(lag)} more={lag === undefined ? 'no watermark' : 'behind now'} />
        <Figure
          name="Restarts"
          value={countText(restarts)}
          more="since the last commit"
          tone={restarts > 0 ? 'warn' : ''}
        />
        <Figure
          name="Memory"
          value={bytesText(memoryBytes)}
          more={run.threads === 0 ? 'one thread' : `${run.threads} worker ${run.threads === 1 ? 'thread' : 'threads'}`}
        />
      </dl>
      {totalBytes !== undefined && totalBytes > 0 && (
        <div class="progress">
          <progress max={1} value={Math.min(1, doneBytes / totalBytes)} aria-label="Progress through the source" />
          <span>
            {percentText(Math.min(1, doneBytes / totalBytes))} of {bytesText(totalBytes)}
          </span>
        </div>
      )}
    </>
  )
}

interface FigureProps {
  readonly name: string
  readonly value: string
  readonly more: string
  readonly tone?: '' | 'warn'
}

function Figure({ name, value, more, tone = '' }: FigureProps): JSX.Element {
  return (
    <div class={`figure ${tone}`}>
      <dt>{name}</dt>
      <dd>
        <span class="value">{value}</span>
        <span class="more">{more}</span>
      </dd>
    </div>
  )
}
