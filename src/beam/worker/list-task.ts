// Lists the splits of the sources of a stage, so that the engine spreads them over its workers.

import { sourceOfLayer, stageOf } from '../plan/laid-out.ts'
import { opened, openOutput, SPLITS } from '../plan/open-groups.ts'
import type { ListedSplit } from '../plan/task.ts'
import { Outlet } from './outlet.ts'
import type { TaskOptions, TaskRun } from './task-run.ts'

/** It gets one element, whose contents say nothing. */
export function listTask({ task, job, emit, counts, signal }: TaskOptions): TaskRun {
  const stage = stageOf(job, task)
  const send = (key: number, listed: ListedSplit): void => {
    emit(SPLITS, key, Buffer.from(JSON.stringify(listed)))
  }
  return {
    async element() {
      let next = 0
      for (const layer of stage.sources) {
        for (const split of await sourceOfLayer(layer).splits({ signal })) {
          // Where a stage is one, its events meet in one place.
          send(stage.shards === 1 ? 0 : next, { layer: layer.number, split })
          next += 1
        }
      }
      const [first] = stage.sources
      if (next === 0 && stage.shards === 1 && first !== undefined) send(0, { layer: first.number })
      if (stage.number === 1) open()
    },
    async finish() {},
    drop() {},
  }

  function open(): void {
    for (const crossing of opened(job.stages, job.topology, task.job.shards)) {
      const outlet = new Outlet(crossing, (shard, bytes) => {
        emit(openOutput(crossing), shard, bytes)
        counts.crossed += 1
      })
      for (let shard = 0; shard < crossing.to.stages; shard += 1) outlet.open(shard)
      outlet.flush()
    }
  }
}
