// The entry point of a worker: the same program in each, with its share of the stages.

import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../base/clock.ts'
import { invariant } from '../../base/invariant.ts'
import type { Split } from '../../connect/source.ts'
import { fingerprintOf, type Topology } from '../../flow/topology.ts'
import type { StagePlace } from '../assemble.ts'
import { FarGate } from '../gate.ts'
import { InFlight } from '../in-flight.ts'
import type { JobLayout } from '../job.ts'
import { resolveOwnName } from '../own-name.ts'
import { RejectionLog } from '../rejection-log.ts'
import { reportsBy } from '../sent-reports.ts'
import { Share } from '../share.ts'
import type { SplitQueue } from '../split-queue.ts'
import { Channels } from './channels.ts'
import { failureOf } from './failure.ts'
import type { ChannelMessage, FromWorker, ToWorker, WorkerSetup } from './message.ts'
import { STARTER, workerOf } from './placement.ts'
import { SharedStats } from './shared-stats.ts'
import { Watchdog } from './watchdog.ts'

/** Between two records of what stages did. */
const WRITE_MS = 250

const setup = workerData as WorkerSetup
const { index, workers } = setup
const port = parentPort
const tell = (message: FromWorker): void => port?.postMessage(message)

const rejections = new RejectionLog({
  onNote: (note) => tell({ kind: 'noted', note }),
  onLate: setup.tellsLate ? (operator, event) => tell({ kind: 'late', operator, events: [event] }) : undefined,
  onDead: setup.tellsDead ? (refused) => tell({ kind: 'dead', ...refused }) : undefined,
})

const reports = reportsBy((entry) => tell({ kind: 'report', entry }))

invariant(port !== null, 'a worker was started as a program')
// As in the thread that started this one.
resolveOwnName()
try {
  const { layOutJob } = (await import(setup.job.laidOutBy)) as JobLayout
  const topology = await layOutJob(setup.job, setup.stages)
  port.once('message', (message: ToWorker) => {
    if (message.kind === 'start') work(topology, message).catch(fail)
    else port.close()
  })
  tell({ kind: 'ready', fingerprint: fingerprintOf(topology) })
} catch (error) {
  fail(error)
}

async function work(topology: Topology, start: ToWorker & { readonly kind: 'start' }): Promise<void> {
  const { ports, splits, taken, figures, resumePoint } = start
  const channels = new Map<number, Channels>()
  const inFlight = new InFlight(setup.inFlight)
  const wiresTo = (worker: number): Channels => {
    const found = channels.get(worker)
    invariant(found !== undefined, `no way to worker ${worker + 1}`)
    return found
  }
  for (const [worker, to] of ports) channels.set(worker, new Channels(to, inFlight.counter()))
  /** Set when the thread that started this worker will send nothing more. */
  const isOver = Promise.withResolvers<void>()
  const gate = new FarGate((level) => tell({ kind: 'arrived', level }))
  const member = (place: StagePlace | undefined): number =>
    place === undefined ? STARTER : workerOf(place.layer, place.stage, workers)
  const share = new Share(topology, {
    clock: systemClock,
    rejections,
    inFlight,
    busy: new Watchdog(setup.watch).busy(index),
    isOver: isOver.promise,
    ...(resumePoint === undefined ? { gate } : { epochs: { resumePoint, reports } }),
    deployment: {
      isHere: (layer, stage) => workerOf(layer, stage, workers) === index,
      sender: ({ id, to, isTracked }) => wiresTo(member(to)).sender(id, isTracked),
      receiver: ({ id, from }) => wiresTo(member(from)).receiver(id),
      queue: (layer) => sharedQueue(splits.get(layer.number) ?? [], taken, layer.number),
    },
  })
  const stats = new SharedStats(topology, figures)
  const write = (): void => {
    for (const one of share.placed) stats.write(one.layer, one.stage, one.work())
  }
  // Only runs of pipelines are observed from outside.
  const writing = resumePoint === undefined ? undefined : setInterval(write, WRITE_MS).unref()
  for (const [worker, to] of ports) to.on('message', (wire: ChannelMessage) => wiresTo(worker).receive(wire))
  port?.on('message', (message: ToWorker) => {
    // What other workers send still arrives: only the sources are closed.
    if (message.kind === 'drain') share.drain()
    else if (message.kind === 'passed') gate.pass(message.level)
    else if (message.kind === 'command') share.tell(message.command)
    else if (message.kind === 'cancel') {
      isOver.resolve()
      void share.cancel()
    }
  })
  try {
    await share.done
  } finally {
    clearInterval(writing)
    write()
  }
  tell({ kind: 'done', late: rejections.lateOf, dead: rejections.deadOf, ahead: rejections.aheadOf })
  for (const to of ports.values()) to.close()
  port?.close()
}

function fail(error: unknown): void {
  tell({ kind: 'failed', failure: failureOf(error, rejections) })
}

/**
 * @param slot - the source's index in `taken`, which counts the splits that were handed out
 */
function sharedQueue(splits: readonly Split[], taken: SharedArrayBuffer, slot: number): SplitQueue {
  const counters = new Int32Array(taken)
  return { take: () => splits[Atomics.add(counters, slot, 1)] }
}
