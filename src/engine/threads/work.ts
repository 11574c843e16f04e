// What every worker does: the same program as in every other one, and its share of the stages.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../base/clock.ts'
import { invariant } from '../../base/invariant.ts'
import type { Ledger } from '../../checkpoint/ledger.ts'
import { type DeadLetter, plainOrigin } from '../../connect/origin.ts'
import { fingerprintOf, type Topology } from '../../flow/topology.ts'
import { Run } from '../../stage/run.ts'
import { begin, link } from '../../stage/subscribe.ts'
import { Account } from '../account.ts'
import { Acknowledgements } from '../acknowledgements.ts'
import { assemble } from '../assemble.ts'
import { FarGate } from '../gate.ts'
import { InFlight } from '../in-flight.ts'
import { resolveOwnName } from '../own-name.ts'
import { Board } from './board.ts'
import { failureOf } from './failure.ts'
import type { Job } from './job.ts'
import type { FromWorker, ToWorker, Wire, WorkerSetup } from './message.ts'
import { memberOf, outId, STARTER } from './places.ts'
import { sharedQueue } from './shared-queue.ts'
import { Watch } from './watch.ts'
import { Wires } from './wires.ts'

/** Between two writings of what stages did. */
const WRITE_MS = 250

const setup = workerData as WorkerSetup
const { index, workers } = setup
const port = parentPort
const tell = (message: FromWorker): void => port?.postMessage(message)

const account = new Account({
  onLate: setup.tellsLate ? (operator, event) => tell({ kind: 'late', operator, events: [event] }) : undefined,
  onDead: setup.tellsDead ? (refused) => tell({ kind: 'dead', ...refused }) : undefined,
})

const ledger: Ledger = {
  source: (report) => tell({ kind: 'ledger', entry: { of: 'source', report } }),
  stage: (report) => tell({ kind: 'ledger', entry: { of: 'stage', report } }),
  letters: (epoch, letters) =>
    tell({ kind: 'ledger', entry: { of: 'letters', epoch, letters: letters.map(sendable) } }),
  ended: () => tell({ kind: 'ledger', entry: { of: 'ended' } }),
  progress: (progress) => tell({ kind: 'ledger', entry: { of: 'progress', progress } }),
  opened: (opened) => tell({ kind: 'ledger', entry: { of: 'opened', opened } }),
  noted: (split, note) => tell({ kind: 'ledger', entry: { of: 'noted', split, note } }),
  suspect: (origin) => tell({ kind: 'ledger', entry: { of: 'suspect', origin: plainOrigin(origin) } }),
}

/** Runs this worker's share of what `lay` lays out of the job that it was given. */
export async function workOn(lay: (job: Job, stages: number) => Promise<Topology>): Promise<void> {
  invariant(port !== null, 'a worker was started as a program')
  // As in the thread that started this one.
  resolveOwnName()
  try {
    const topology = await lay(setup.job, setup.stages)
    port.once('message', (message: ToWorker) => {
      if (message.kind === 'start') work(topology, message).catch(fail)
      else port.close()
    })
    tell({ kind: 'ready', fingerprint: fingerprintOf(topology) })
  } catch (error) {
    fail(error)
  }
}

/** An origin may be an object of a class: what it holds is sent. */
function sendable({ origin, ...letter }: DeadLetter): DeadLetter {
  return { ...letter, origin: plainOrigin(origin) }
}

async function work(topology: Topology, start: ToWorker & { readonly kind: 'start' }): Promise<void> {
  const { ports, splits, taken, figures, beginning } = start
  const wires = new Map<number, Wires>()
  const inFlight = new InFlight(setup.inFlight)
  const wiresTo = (worker: number): Wires => {
    const found = wires.get(worker)
    invariant(found !== undefined, `no way to worker ${worker + 1}`)
    return found
  }
  for (const [worker, to] of ports) wires.set(worker, new Wires(to, inFlight.counter()))
  /** Set when whoever started this worker has nothing more to say. */
  const isOver = Promise.withResolvers<void>()
  const acknowledgements = new Acknowledgements()
  const gate = new FarGate((level) => tell({ kind: 'arrived', level }))
  const { layers, links, sources, outputs, placed } = assemble(topology, {
    clock: systemClock,
    account,
    inFlight,
    busy: new Watch(setup.watch).busy(index),
    ...(beginning === undefined ? { gate } : { epochs: { beginning, ledger, acknowledgements } }),
    site: {
      isHere: (layer, stage) => memberOf(layer, stage, workers) === index,
      sender: ({ id, to }) => wiresTo(memberOf(to.layer, to.stage, workers)).sender(id),
      receiver: ({ id, from }) => wiresTo(memberOf(from.layer, from.stage, workers)).receiver(id),
      queue: (layer) => sharedQueue(splits.get(layer.number) ?? [], taken, layer.number),
    },
  })
  const board = new Board(topology, figures)
  const write = (): void => {
    for (const one of placed) board.write(one.layer, one.stage, one.work())
  }
  // Only runs of pipelines are looked at from outside.
  const writing = beginning === undefined ? undefined : setInterval(write, WRITE_MS).unref()
  const ends = outputs.map(({ stage, from }) => {
    const sender = wiresTo(STARTER).sender(outId(from))
    return { sender, link: link(sender, stage, { demand: 'manual' }) }
  })
  const run = new Run([...layers, ends.map(({ sender }) => sender)])
  for (const [worker, to] of ports) listen(to, wiresTo(worker))
  port?.on('message', (message: ToWorker) => {
    // What other workers send still comes: only where events enter is closed.
    if (message.kind === 'drain') for (const source of sources) source.complete()
    else if (message.kind === 'passed') gate.pass(message.level)
    else if (message.kind === 'cancel') {
      isOver.resolve()
      void run.cancel()
    } else if (message.kind === 'command' && message.command.kind === 'committed') {
      acknowledgements.committed(message.command.epoch)
    } else if (message.kind === 'command') {
      for (const source of sources) if (source.isOpen) source.notify(message.command)
    }
  })
  begin([...ends.map(({ link: one }) => one), ...links.toReversed()])
  try {
    await run.done
    // The last epoch is committed when all of this has ended.
    if (acknowledgements.isWaiting) await isOver.promise
  } finally {
    clearInterval(writing)
    write()
    await acknowledgements.close()
  }
  tell({ kind: 'done', late: account.lateOf, dead: account.deadOf })
  for (const to of ports.values()) to.close()
  port?.close()
}

function listen(to: MessagePort, wires: Wires): void {
  to.on('message', (wire: Wire) => wires.receive(wire))
}

function fail(error: unknown): void {
  tell({ kind: 'failed', failure: failureOf(error, account.blame) })
}
