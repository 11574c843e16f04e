// How a flow would run.

import { isFlow } from '../flow/is-flow.ts'
import { layOut } from '../flow/layout.ts'
import { loadJob } from './job.ts'
import { settingsOf } from './options.ts'
import { type Choice, mermaidOf, wordsOf } from './picture.ts'
import { choose, jobOf, type Runnable } from './start.ts'

export interface ExplainOptions {
  /** `words` (default), or a `mermaid` flowchart. */
  readonly as?: 'mermaid' | 'words'
  /** As for a run. */
  readonly threads?: number
  readonly stages?: number
  readonly name?: string
}

/**
 * Tells how a flow would run, without running it: its layers, how many stages each has, what they do, where events
 * change stages and by which key, and on how many threads, with the reason.
 *
 * @throws {SluiceError} FLOW_MISMATCH if the module exports no such flow; errors of its sources when they are listed
 * @example
 * const words = flow(['a b']).flatMap((line) => line.split(' ')).keyBy((word) => word).aggregate({ n: count() })
 * (await explain(words, { stages: 2 })).split('\n').slice(0, 4)
 * // => ['layer 1, 1 stage: array', 'layer 2, 2 stages: flatMap, aggregate (partial results)', '  takes from layer 1: whichever stage is free', 'layer 3, 2 stages: aggregate (merging)']
 */
export async function explain<T>(flow: Runnable<T>, options: ExplainOptions = {}): Promise<string> {
  const { as = 'words', ...others } = options
  const settings = settingsOf('explain', others)
  const choice = await decide(flow, settings)
  const node = isFlow(flow) ? flow.node : await loadJob(jobOf('explain', flow, settings))
  const topology = layOut(node, { stages: settings.stages ?? Math.max(1, choice.threads) })
  return (as === 'mermaid' ? mermaidOf : wordsOf)({ topology, choice })
}

async function decide<T>(flow: Runnable<T>, settings: ReturnType<typeof settingsOf>): Promise<Choice> {
  const { threads } = settings
  if (isFlow(flow))
    return { threads: 0, why: 'the flow was passed directly, not as a module, and no function crosses a thread' }
  if (threads !== undefined) return { threads, why: 'as requested' }
  return await choose(await loadJob(jobOf('explain', flow, settings)))
}
