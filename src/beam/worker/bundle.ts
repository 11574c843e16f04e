// One bundle at work: elements in, a task, elements out.

import { unreachable } from '../../base/invariant.ts'
import { RejectionLog } from '../../engine/rejection-log.ts'
import { failureOf } from '../../engine/threads/failure.ts'
import { ByteWriter } from '../wire/bytes.ts'
import { NO_FIRING } from '../wire/windowed.ts'
import type { Counts } from './counts.ts'
import type { DataStream } from './data-stream.ts'
import { ElementReader } from './element-reader.ts'
import { BundleFailed } from './failure.ts'
import type { FoundJobs } from './found-job.ts'
import { listTask } from './list-task.ts'
import type { Element, EnginePort, Processor } from './processor.ts'
import type { SinkWriters } from './sink-writers.ts'
import { StageTask } from './stage-task.ts'
import type { Emit, TaskOptions, TaskRun } from './task-run.ts'

export interface BundleOptions {
  readonly instruction: string
  readonly processor: Processor
  readonly jobs: FoundJobs
  readonly writers: SinkWriters
  readonly streamTo: (address: string) => DataStream
  readonly signal: AbortSignal
  readonly counts: Counts
}

/** How much is gathered for one stream before it is sent. */
const SEND_BYTES = 1024 * 1024

/** Elements on their way out. */
interface Outgoing {
  readonly port: EnginePort
  readonly bytes: ByteWriter
}

/** Resolves when everything is out and written. After a failure nothing more is read, written or finished. */
export async function runBundle(options: BundleOptions): Promise<void> {
  const { instruction, processor, jobs, writers, streamTo, signal, counts } = options
  const { task, source } = processor
  const { outgoing, sinks } = outgoingOf(processor)
  const stream = streamTo(source.address)
  const reader = new ElementReader(source.coder)
  let element: Element | undefined
  const emit: Emit = (output, key, bytes) => {
    const sent = like(element as Element, [BigInt(key), bytes])
    for (const { port, bytes: out } of outgoing.get(output) ?? []) port.coder.write(sent, out)
  }
  const flush = async (isLast: boolean): Promise<void> => {
    for (const { port, bytes } of sinks) {
      if (!isLast && bytes.length < SEND_BYTES) continue
      await streamTo(port.address).send(instruction, port.transform, bytes.take(), isLast)
    }
  }
  let run: TaskRun | undefined
  const rejections = new RejectionLog({ onNote: () => {} })
  try {
    run = taskRun({ task, job: await jobs.find(task.job), emit, counts, writers, rejections, signal })
    for await (const part of stream.inboxOf(instruction).parts()) {
      for (element of reader.read(part)) {
        signal.throwIfAborted()
        await run.element(element.value)
        await flush(false)
      }
    }
    reader.end()
    await run.finish()
    await flush(true)
  } catch (error) {
    run?.drop()
    throw new BundleFailed(failureOf(error, rejections), error)
  } finally {
    stream.end(instruction)
  }
}

function taskRun(options: TaskOptions): TaskRun {
  const { task } = options
  switch (task.does) {
    case 'list':
      return listTask(options)
    case 'read':
    case 'work':
      return new StageTask(options)
    default:
      return unreachable(task)
  }
}

/** Several outputs may go to one place, which ends once: an engine may have what joins them done here. */
function outgoingOf({ outputs }: Processor): {
  readonly outgoing: ReadonlyMap<string, readonly Outgoing[]>
  readonly sinks: readonly Outgoing[]
} {
  const places = new Map<string, Outgoing>()
  const placeOf = (port: EnginePort): Outgoing => {
    const place = places.get(port.transform) ?? { port, bytes: new ByteWriter() }
    places.set(port.transform, place)
    return place
  }
  const outgoing = new Map([...outputs].map(([name, ports]) => [name, ports.map(placeOf)] as const))
  return { outgoing, sinks: [...places.values()] }
}

/** A value in the windows and at the time of another. */
function like({ time, windows }: Element, value: unknown): Element {
  return { value, time, windows, pane: NO_FIRING }
}
