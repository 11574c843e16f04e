// More runs than a terminal has lines: one line per run, those in trouble first.

import { excerpt } from '../../observe/escape.ts'
import { countText, many } from '../../observe/text.ts'
import { shownName } from '../../pipeline/shown-name.ts'
import type { RunSnapshot, RunState } from '../../pipeline/snapshot.ts'
import { colourOf, cut, perSecondOf, type TopViewOptions } from './top-view.ts'

/** What needs attention comes first. */
const FIRST: readonly RunState[] = ['failed', 'waiting', 'running', 'draining', 'paused', 'drained', 'finished']

/**
 * One line per run, and how many are in which state if the lines do not suffice for all.
 *
 * @param rows - the most lines
 */
export function topBrief(runs: readonly RunSnapshot[], rows: number, options: TopViewOptions): string[] {
  const sorted = runs.toSorted((a, b) => FIRST.indexOf(a.state) - FIRST.indexOf(b.state))
  const shown = sorted.length <= rows ? sorted : sorted.slice(0, Math.max(0, rows - 1))
  const lines = shown.map((run) => lineOf(run, options))
  const rest = sorted.slice(shown.length)
  if (rest.length === 0) return lines
  const states = FIRST.flatMap((state) => {
    const count = rest.filter((run) => run.state === state).length
    return count === 0 ? [] : [`${countText(count)} ${state}`]
  })
  return [...lines, cut(`… and ${many(rest.length, 'pipeline')} more: ${states.join(', ')}`, options.columns)]
}

function lineOf(run: RunSnapshot, options: TopViewOptions): string {
  const { columns } = options
  const bottleneck = run.layers.find(({ number }) => number === run.bottleneck)
  const heldUp = bottleneck === undefined ? [] : [`bottleneck: ${bottleneck.number} ${excerpt(bottleneck.title, 40)}`]
  const parts = [
    `${excerpt(shownName(run), 40)}: ${run.state}`,
    `read ${countText(run.read)}`,
    `loaded ${countText(run.run.loaded)}`,
    `dead ${countText(run.dead)}`,
    `${countText(perSecondOf(run, options))}/s`,
    ...(run.error === undefined ? heldUp : [run.error]),
  ]
  return colourOf(run, cut(excerpt(parts.join('  '), columns), columns), options)
}
