// One attempt at a run: stages from the last commit on, until all is done, it is stopped, or something fails.

import type { Clock } from '../base/clock.ts'
import { invariant } from '../base/invariant.ts'
import { untilAborted } from '../base/promise.ts'
import { Committer, type CommitterOptions } from '../checkpoint/committer.ts'
import { Coordinator } from '../checkpoint/coordinator.ts'
import type { EpochReports, SourceCommand, SplitOpened } from '../checkpoint/epoch-reports.ts'
import { Epochs } from '../checkpoint/epochs.ts'
import { StateParts } from '../checkpoint/state-parts.ts'
import type { Origin } from '../connect/origin.ts'
import type { SinkWriter, Totals } from '../connect/sink.ts'
import type { Position } from '../connect/source.ts'
import type { Execution, Executor } from '../engine/executor.ts'
import type { InFlightLimits } from '../engine/in-flight.ts'
import type { Job } from '../engine/job.ts'
import type { PipelineSource } from '../engine/pipeline-source.ts'
import { RejectionLog } from '../engine/rejection-log.ts'
import { layOut } from '../flow/layout.ts'
import type { PipelinePlan } from '../flow/pipeline-plan.ts'
import { foldsIn, keptBy, type Topology } from '../flow/topology.ts'
import type { StageCore } from '../stage/core.ts'
import { chunkStage } from '../stage/make.ts'
import { BusyShares } from './busy-shares.ts'
import type { DeadLetterLimit } from './dead-letter-limit.ts'
import { type Layers, layersOf } from './layer-figures.ts'
import type { Replayed } from './replayed.ts'
import type { RunEvent } from './report.ts'
import type { ResumePositionsAt } from './resume-positions.ts'
import { SinkStage } from './sink-stage.ts'
import type { TopCounters } from './top-counters.ts'

export interface AttemptOptions {
  readonly name: string
  readonly plan: PipelinePlan
  readonly source: PipelineSource
  readonly writer: SinkWriter<unknown>
  readonly beginningAt: ResumePositionsAt
  readonly executor: Executor
  /** Where threads find the pipeline, if it is known. */
  readonly job: Job | undefined
  readonly limit: DeadLetterLimit
  readonly tops: TopCounters
  readonly epochMs: number
  readonly epochEvents: number
  readonly clock: Clock
  /** What was committed when the run began. */
  readonly before: Totals | undefined
  readonly onEvent: (event: RunEvent) => void
  readonly onOpened: (opened: SplitOpened) => void
  readonly onDeadLetters: () => void
  readonly signal: AbortSignal | undefined
  /** Records that ended a worker, with what happened. */
  readonly poison: ReadonlyMap<string, string>
  /** Set to let this many records through one at a time, and then stop. */
  readonly carefulFor: number | undefined
  /** Whether nothing is read until it is resumed. */
  readonly isPaused: boolean
  /** Dead letters that are its sources. */
  readonly replayed: Replayed | undefined
  /** How many events without a record have a number, if nothing was committed yet. */
  readonly results: number
}

/** Where records go one at a time, the next ones are not to wait for long. */
const CAREFUL_EVENTS = 100

/** Large enough that a batch costs little beside its events. */
const IN_FLIGHT: InFlightLimits = { events: 4000, bytes: 16 * 1024 * 1024 }
const ONE_AT_A_TIME: InFlightLimits = { events: 1, bytes: 1 }

/** Why stages are ended that would continue. */
const STOPPED: unique symbol = Symbol('all is committed')

export class Attempt {
  readonly epochs: Epochs
  readonly coordinator: Coordinator
  readonly committer: Committer
  readonly rejections: RejectionLog
  readonly #options: AttemptOptions
  readonly #stages: number
  readonly #topology: Topology
  readonly #parts: StateParts
  readonly #hasMemory: boolean
  /** What had been committed when it began. */
  readonly start: Totals
  #execution: Execution | undefined
  /** Said before there was anybody to say it to. */
  #pending: SourceCommand[] = []
  /** Dead letters so far, by the step that made them: as many names as the flow has. */
  readonly #dead = new Map<string, number>()
  /** The record that was worked on last, where they go one at a time. */
  lastSuspect: Origin | undefined
  #isStopped = false
  /** Its last stage, once it runs. */
  #load: { readonly stage: SinkStage; readonly consumer: StageCore } | undefined
  readonly #shares: BusyShares
  readonly #positions: ReadonlyMap<string, Position>

  constructor(options: AttemptOptions) {
    const { name, plan, source, executor, writer, before, epochMs, epochEvents, clock, carefulFor } = options
    const { limit, onEvent, onDeadLetters, replayed } = options
    this.#options = options
    this.rejections = new RejectionLog({ onNote: (note) => onEvent({ kind: 'noted', split: name, note }) })
    this.#shares = new BusyShares(clock.nowMs())
    const restored = writer.checkpoint
    // One at a time means in one stage, too.
    this.#stages = carefulFor === undefined ? executor.stages : 1
    this.#topology = layOut(plan.node, { stages: this.#stages, input: source })
    const kept = keptBy(this.#topology)
    this.#parts = new StateParts(name, kept, restored?.states, options.results)
    this.#hasMemory = kept.size > 0
    const folds = foldsIn(this.#topology)
    const { positions, moved } = options.beginningAt(restored)
    this.#positions = positions
    this.epochs = new Epochs(restored, { folds, moved, ...(before === undefined ? {} : { before }) })
    this.start = this.epochs.overall
    const { sources, reporters, enders } = countStages(this.#topology)
    this.committer = new Committer({
      writer,
      epochs: this.epochs,
      parts: this.#parts,
      reporters,
      enders,
      clock,
      retried: replayed,
      onFull: () => this.coordinator.hold('letters'),
      onRoom: () => this.coordinator.letGo('letters'),
      onLetters: onDeadLetters,
      onBuried: (letters) => {
        limit.add(letters)
        for (const letter of letters) onEvent({ kind: 'dead-letter', letter })
      },
      onCommitted: (committed) => {
        limit.committed()
        this.coordinator.committed(committed)
        const { epoch, tookMs } = committed
        onEvent({ kind: 'committed', epoch, totals: this.epochs.overall, tookMs })
      },
      onStopped: () => {
        if (!this.#hasMemory) return // It comes to its end by itself.
        this.#isStopped = true
        void this.#execution?.cancel(STOPPED)
      },
    })
    this.coordinator = new Coordinator({
      epoch: this.epochs.epoch,
      sources,
      hasMemory: this.#hasMemory,
      epochMs,
      epochEvents: carefulFor === undefined ? epochEvents : Math.min(epochEvents, CAREFUL_EVENTS),
      clock,
      stopAfter: carefulFor,
      isPaused: options.isPaused,
      areResultsDue: () => this.epochs.hasUncommitted || !this.#parts.hasFired,
      onBarrier: (epoch, end) => this.committer.open(epoch, end),
      tell: (command) => this.#tell(command),
    })
  }

  /** Resolves when the source was read to its end, or the attempt was stopped, and all of it is committed. */
  async run(): Promise<void> {
    const { writer, executor, job, clock, signal, tops } = this.#options
    const { rejections, coordinator, committer, epochs } = this
    const isCareful = this.#options.carefulFor !== undefined
    const load = new SinkStage({
      writer,
      committer,
      tops,
      nextResults: (count) => this.#parts.nextResults(count),
    })
    const consumer = chunkStage('consumer', load)
    consumer.measure()
    this.#load = { stage: load, consumer }
    try {
      this.#execution = await executor.start({
        topology: this.#topology,
        stages: this.#stages,
        job,
        consumers: [consumer],
        clock,
        rejections,
        inFlight: isCareful ? ONE_AT_A_TIME : IN_FLIGHT,
        epochs: {
          resumePoint: {
            epoch: epochs.epoch,
            positions: this.#positions,
            states: this.#parts.states(),
            isCareful,
            isReplay: this.#options.replayed !== undefined,
            isHeld: this.#options.isPaused,
            poison: this.#options.poison,
          },
          reports: this.#reports(),
        },
        signal,
      })
      for (const command of this.#pending) this.#execution.tell(command)
      this.#pending = []
      await this.#execution.done
      invariant(committer.hasEnded, 'the stages came to their end before all was committed')
    } catch (error) {
      if (!this.#isStopped || error !== STOPPED) throw error
    } finally {
      coordinator.close()
      // Whoever closes the writer is the only one to call it.
      await untilAborted(load.idle(), signal)
    }
  }

  /** Worker threads; 0 where all stages are in this one, or while they are being started. */
  get threads(): number {
    return this.#execution?.threads ?? 0
  }

  /** Records read so far: stages say so at once, and of workers at the latest with a barrier. */
  get read(): number {
    let read = 0
    for (const { number, work } of this.#topology.layers) {
      if (work.kind !== 'source') continue
      for (const { received } of this.#execution?.figures(number) ?? []) read += received
    }
    return Math.max(read, this.coordinator.figures.read)
  }

  /** Dead letters so far, those that the sink made among them. */
  get dead(): number {
    let dead = this.#load?.stage.refused ?? 0
    for (const count of this.#dead.values()) dead += count
    return dead
  }

  /** Its layers with what their stages did so far. */
  layers(sinkTitle: string): Layers {
    const { source, clock } = this.#options
    const { stage, consumer } = this.#load ?? {}
    const { received = 0, buffered = 0, busyMs = 0 } = consumer?.work() ?? {}
    return layersOf({
      topology: this.#topology,
      source,
      sourceTitle: source.title,
      sinkTitle,
      figures: (layer) => this.#execution?.figures(layer) ?? [],
      load: {
        received,
        emitted: stage?.written ?? 0,
        demand: 0,
        filtered: 0,
        derived: 0,
        buffered: buffered + (stage?.gathered ?? 0),
        // To take what comes from workers is its work, too.
        busyMs: busyMs + (this.#execution?.takingMs() ?? 0),
      },
      dead: this.#dead,
      refused: stage?.refused ?? 0,
      placeOf: (layer, at) => this.#execution?.placeOf(layer, at) ?? 0,
      shares: this.#shares,
      nowMs: clock.nowMs(),
    })
  }

  /** Ends it with an error that did not come from one of its stages. */
  fail(error: unknown): void {
    void this.#execution?.cancel(error)
  }

  /** Where each thing that stages tell is heard. */
  #reports(): EpochReports {
    const { committer, coordinator } = this
    const { onEvent, onOpened } = this.#options
    return {
      source: (report) => committer.source(report),
      stage: (report) => committer.stage(report),
      deadLetters: (epoch, letters) => {
        for (const { step } of letters) this.#dead.set(step, (this.#dead.get(step) ?? 0) + 1)
        committer.letters(epoch, letters)
      },
      ended: (counts) => committer.ended(counts),
      progress: (told) => coordinator.progress(told),
      opened: onOpened,
      noted: (split, note) => onEvent({ kind: 'noted', split, note }),
      inHand: (origin) => {
        this.lastSuspect = origin
      },
    }
  }

  #tell(command: SourceCommand): void {
    if (this.#execution === undefined) this.#pending.push(command)
    else this.#execution.tell(command)
  }
}

/** How many stages read, and how many report at a barrier. */
function countStages({
  layers,
}: Topology): Pick<CommitterOptions, 'enders' | 'reporters'> & { readonly sources: number } {
  let [sources, enders] = [0, 0]
  for (const { work, stages } of layers) {
    if (work.kind === 'source') sources += stages
    else if (work.kind === 'steps' || work.kind === 'mapAsync') enders += stages
  }
  return { sources, enders, reporters: sources + enders }
}
