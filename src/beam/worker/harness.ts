// The worker as an engine sees it: instructions come in, and each is answered.

import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import { GrpcClient, type Metadata } from '../wire/client.ts'
import type { Messages } from '../wire/messages.ts'
import { CONTROL, DESCRIPTOR } from '../wire/names.ts'
import { runBundle } from './bundle.ts'
import { Counts, ShortNames, type Told } from './counts.ts'
import { DataStream } from './data-stream.ts'
import { failureText } from './failure.ts'
import { FoundJobs } from './found-job.ts'
import { type Processor, processorOf } from './processor.ts'
import { SinkWriters } from './sink-writers.ts'

export interface HarnessOptions {
  readonly messages: Messages
  /** The worker's name, which the engine has given it. */
  readonly id: string
  /** The address of the engine. */
  readonly control: string
  /** Modules below this folder can be run, and no others. */
  readonly root: string
  /** Receives what a person may want to know, one line each. */
  readonly log: (line: string) => void
}

type Request = MessageShape<Messages['InstructionRequestSchema']>
type Answer = Pick<MessageInitShape<Messages['InstructionResponseSchema']>, 'response' | 'error'>

/** Of a bundle that is over, or has not begun. */
const NOTHING_TOLD: Told = { monitoringInfos: [], monitoringData: {} }

/** Works until the engine ends the stream of instructions. */
export class Harness {
  readonly #options: HarnessOptions
  readonly #metadata: Metadata
  readonly #clients = new Map<string, GrpcClient>()
  readonly #streams = new Map<string, DataStream>()
  readonly #processors = new Map<string, Promise<Processor>>()
  readonly #jobs: FoundJobs
  readonly #writers = new SinkWriters()
  readonly #names = new ShortNames()
  readonly #stop = new AbortController()
  /** Instruction → what its bundle has counted so far, by its transform. */
  readonly #running = new Map<string, { readonly transform: string; readonly counts: Counts }>()

  constructor(options: HarnessOptions) {
    this.#options = options
    this.#jobs = new FoundJobs(options.root)
    this.#metadata = { worker_id: options.id }
  }

  async run(): Promise<void> {
    const { messages, control } = this.#options
    const stream = this.#clientOf(control).open(CONTROL, this.#metadata)
    const { read, write, InstructionRequestSchema, InstructionResponseSchema } = messages
    try {
      for await (const message of stream.messages) {
        const request = read(InstructionRequestSchema, message)
        const { instructionId } = request
        void this.#answer(request).then(
          (response) => stream.send(write(InstructionResponseSchema, { instructionId, ...response })),
          (error: unknown) =>
            stream.send(write(InstructionResponseSchema, { instructionId, error: failureText(error) })),
        )
      }
    } finally {
      this.#stop.abort(new Error('the engine has ended this worker'))
      await this.#writers.close()
      for (const client of this.#clients.values()) client.destroy()
    }
  }

  async #answer({ instructionId, request }: Request): Promise<Answer> {
    switch (request.case) {
      case 'processBundle':
        return await this.#bundle(instructionId, request.value.processBundleDescriptorId)
      case 'processBundleProgress':
        return { response: { case: request.case, value: this.#told(request.value.instructionId) } }
      case 'monitoringInfos': {
        const monitoringInfo = this.#names.infos(request.value.monitoringInfoId)
        return { response: { case: request.case, value: { monitoringInfo } } }
      }
      case undefined:
        throw new TypeError('Cannot follow an instruction that this worker does not know')
      default:
        // An element is a whole group: there is nothing to split, and nothing waits for the end of a bundle.
        return { response: { case: request.case, value: {} } }
    }
  }

  async #bundle(instruction: string, descriptor: string): Promise<Answer> {
    const processor = await this.#processorOf(descriptor)
    const counts = new Counts()
    this.#running.set(instruction, { transform: processor.transform, counts })
    try {
      await runBundle({
        instruction,
        processor,
        jobs: this.#jobs,
        writers: this.#writers,
        streamTo: (address) => this.#streamTo(address),
        signal: this.#stop.signal,
        counts,
      })
      return { response: { case: 'processBundle', value: this.#told(instruction) } }
    } finally {
      this.#running.delete(instruction)
    }
  }

  #told(instruction: string): Told {
    const { transform, counts } = this.#running.get(instruction) ?? {}
    return transform === undefined || counts === undefined ? NOTHING_TOLD : this.#names.of(transform, counts)
  }

  /** A descriptor is asked for once. */
  #processorOf(id: string): Promise<Processor> {
    const known = this.#processors.get(id)
    if (known !== undefined) return known
    const { messages, control } = this.#options
    const { read, write, GetProcessBundleDescriptorRequestSchema, ProcessBundleDescriptorSchema } = messages
    const asked = this.#clientOf(control)
      .call(
        DESCRIPTOR,
        write(GetProcessBundleDescriptorRequestSchema, { processBundleDescriptorId: id }),
        this.#metadata,
      )
      .then((bytes) => processorOf(read(ProcessBundleDescriptorSchema, bytes), messages))
    this.#processors.set(id, asked)
    // One that failed is asked for again.
    asked.catch(() => this.#processors.delete(id))
    return asked
  }

  #streamTo(address: string): DataStream {
    const known = this.#streams.get(address)
    if (known !== undefined) return known
    const stream = new DataStream(this.#clientOf(address), this.#options.messages, this.#metadata)
    this.#streams.set(address, stream)
    stream.done.catch(() => this.#streams.delete(address))
    return stream
  }

  #clientOf(address: string): GrpcClient {
    const client = this.#clients.get(address) ?? new GrpcClient(address)
    this.#clients.set(address, client)
    return client
  }
}
