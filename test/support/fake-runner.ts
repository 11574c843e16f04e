// A runner that a worker cannot tell from an engine: it sends what a test says, in whatever pieces.

import type { MessageInitShape } from '@bufbuild/protobuf'
import { ByteReader, ByteWriter } from '../../src/beam/wire/bytes.ts'
import { bytesCoder, type Coder, iterableCoder, kvCoder, varintCoder } from '../../src/beam/wire/coders.ts'
import type { Messages } from '../../src/beam/wire/messages.ts'
import { CODER, CONTROL, DATA, DESCRIPTOR, URN } from '../../src/beam/wire/names.ts'
import { GrpcServer } from '../../src/beam/wire/server.ts'
import { globalWindowCoder, NO_FIRING, windowedCoder } from '../../src/beam/wire/windowed.ts'
import { Harness } from '../../src/beam/worker/harness.ts'

type Response = ReturnType<Messages['read']> & { readonly instructionId: string; readonly error: string }
type Send = (message: Uint8Array) => Promise<void>

export const IMPULSE: Coder<unknown> = windowedCoder(bytesCoder, globalWindowCoder) as Coder<never>
export const PAIR: Coder<unknown> = windowedCoder(kvCoder(varintCoder, bytesCoder), globalWindowCoder) as Coder<never>
const group = kvCoder(varintCoder, iterableCoder(bytesCoder))
export const GROUP: Coder<unknown> = windowedCoder(group, globalWindowCoder) as Coder<never>

/** Elements as bytes, one after the other. */
export function bytesOf(coder: Coder<unknown>, values: readonly unknown[]): Buffer {
  const writer = new ByteWriter()
  const own = { time: 0n, windows: ['global'], pane: NO_FIRING }
  for (const value of values) coder.write({ ...own, value }, writer)
  return writer.take()
}

export class FakeRunner implements AsyncDisposable {
  readonly #messages: Messages
  #server: GrpcServer | undefined
  /** Descriptor → its task, as bytes, the coder of what it takes, and its outputs. */
  readonly #tasks = new Map<
    string,
    { readonly task: Uint8Array; readonly takes: string; readonly outputs: string[]; readonly isJoined: boolean }
  >()
  readonly #control = Promise.withResolvers<Send>()
  readonly #data = Promise.withResolvers<Send>()
  readonly #answers = new Map<string, PromiseWithResolvers<Response>>()
  /** Instruction → output → what came on it. */
  readonly came: Map<string, Map<string, Buffer[]>> = new Map()
  /** Outputs that have ended, as `instruction output`. */
  readonly ended: string[] = []
  #worker: Promise<void> | undefined

  constructor(messages: Messages) {
    this.#messages = messages
  }

  /** Listens, and has a worker in this process connect to it. */
  async start(root: string): Promise<void> {
    const { read, write, InstructionResponseSchema, ElementsSchema } = this.#messages
    this.#server = await GrpcServer.listen(
      {
        [CONTROL]: async ({ messages, send }) => {
          this.#control.resolve(send)
          for await (const message of messages) {
            const response = read(InstructionResponseSchema, message)
            this.#answerOf(response.instructionId).resolve(response as never)
          }
        },
        [DESCRIPTOR]: async ({ messages, send }) => {
          for await (const message of messages) {
            const asked = read(this.#messages.GetProcessBundleDescriptorRequestSchema, message)
            const descriptor = this.#descriptor(asked.processBundleDescriptorId)
            return await send(write(this.#messages.ProcessBundleDescriptorSchema, descriptor))
          }
        },
        [DATA]: async ({ messages, send }) => {
          this.#data.resolve(send)
          for await (const message of messages) {
            for (const { instructionId, transformId, data, isLast } of read(ElementsSchema, message).data) {
              const outputs = this.came.get(instructionId) ?? new Map()
              this.came.set(instructionId, outputs)
              outputs.set(transformId, [...(outputs.get(transformId) ?? []), Buffer.from(data)])
              if (isLast) this.ended.push(`${instructionId} ${transformId}`)
            }
          }
        },
      },
      { host: '127.0.0.1', port: 0 },
    )
    const control = `127.0.0.1:${this.#server.port}`
    this.#worker = new Harness({ messages: this.#messages, id: 'fake', control, root, log: () => {} }).run()
    this.#worker.catch(() => {})
  }

  /**
   * A bundle of this id can be begun from now on.
   *
   * @param isJoined - whether the worker is to bring all outputs together
   */
  define(id: string, task: Uint8Array, takes: 'bytes' | 'group', outputs: string[], isJoined = false): void {
    this.#tasks.set(id, { task, takes, outputs, isJoined })
  }

  async instruct(instructionId: string, descriptor: string): Promise<void> {
    const { write, InstructionRequestSchema } = this.#messages
    const value = { processBundleDescriptorId: descriptor }
    const send = await this.#control.promise
    await send(write(InstructionRequestSchema, { instructionId, request: { case: 'processBundle', value } }))
  }

  /** Something other than a bundle. */
  async ask(instructionId: string, request: MessageInitShape<Messages['InstructionRequestSchema']>['request']) {
    const { write, InstructionRequestSchema } = this.#messages
    const send = await this.#control.promise
    await send(write(InstructionRequestSchema, { instructionId, ...(request === undefined ? {} : { request }) }))
    return await this.answer(instructionId)
  }

  async send(instructionId: string, data: Uint8Array, isLast: boolean): Promise<void> {
    const { write, ElementsSchema } = this.#messages
    const send = await this.#data.promise
    await send(write(ElementsSchema, { data: [{ instructionId, transformId: 'source', data, isLast }] }))
  }

  async answer(instructionId: string): Promise<Response> {
    return await this.#answerOf(instructionId).promise
  }

  /** What came on an output of a bundle, as values. */
  valuesOn(instruction: string, output: string): unknown[] {
    const bytes = Buffer.concat(this.came.get(instruction)?.get(`sink ${output}`) ?? [])
    return [...this.#elements(bytes)]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]()
    await this.#worker?.catch(() => {})
  }

  *#elements(bytes: Buffer): Generator<unknown> {
    const reader = new ByteReader(bytes)
    while (!reader.isAtEnd) yield (PAIR.read(reader) as { readonly value: unknown }).value
  }

  #answerOf(instruction: string): PromiseWithResolvers<Response> {
    const answer = this.#answers.get(instruction) ?? Promise.withResolvers<Response>()
    this.#answers.set(instruction, answer)
    return answer
  }

  #descriptor(id: string): MessageInitShape<Messages['ProcessBundleDescriptorSchema']> {
    const { write, RemoteGrpcPortSchema, ParDoPayloadSchema } = this.#messages
    const nothing = { task: new Uint8Array(), takes: 'bytes', outputs: [], isJoined: false }
    const { task, takes, outputs, isJoined } = this.#tasks.get(id) ?? nothing
    const apiServiceDescriptor = { url: `127.0.0.1:${this.#server?.port}` }
    const port = (coderId: string) => write(RemoteGrpcPortSchema, { apiServiceDescriptor, coderId })
    const coder = (urn: string, ...componentCoderIds: string[]) => ({ spec: { urn }, componentCoderIds })
    const own = outputs.map((name) => [name, `out ${name}`] as const)
    const spec = { urn: URN.sink, payload: port('elements pair') }
    const sinks = own.map(([name, from]) => [`sink ${name}`, { spec, inputs: { in: from } }] as const)
    const joined = [
      ['join', { spec: { urn: URN.flatten }, inputs: Object.fromEntries(own), outputs: { out: 'joined' } }] as const,
      ['sink joined', { spec, inputs: { in: 'joined' } }] as const,
    ]
    const doFn = { urn: URN.task, payload: task }
    const payload = write(ParDoPayloadSchema, { doFn })
    return {
      id,
      transforms: {
        source: { spec: { urn: URN.source, payload: port(`elements ${takes}`) }, outputs: { out: 'in' } },
        task: { spec: { urn: URN.parDo, payload }, inputs: { in: 'in' }, outputs: Object.fromEntries(own) },
        ...Object.fromEntries(isJoined ? joined : sinks),
      },
      coders: {
        bytes: coder(CODER.bytes),
        number: coder(CODER.varint),
        many: coder(CODER.iterable, 'bytes'),
        pair: coder(CODER.kv, 'number', 'bytes'),
        group: coder(CODER.kv, 'number', 'many'),
        all: coder(CODER.globalWindow),
        'elements bytes': coder(CODER.windowed, 'bytes', 'all'),
        'elements pair': coder(CODER.windowed, 'pair', 'all'),
        'elements group': coder(CODER.windowed, 'group', 'all'),
      },
    }
  }
}
