// What an engine wants done with the elements of a bundle: taken apart once, and used for each bundle.

import type { MessageShape } from '@bufbuild/protobuf'
import { type Task, taskOf } from '../plan/task.ts'
import type { CoderSpec } from '../wire/coder-of.ts'
import { coderOf } from '../wire/coder-of.ts'
import type { Coder } from '../wire/coders.ts'
import type { Messages, Schemas } from '../wire/messages.ts'
import { URN } from '../wire/names.ts'
import type { Windowed } from '../wire/windowed.ts'

export type Descriptor = MessageShape<Schemas['ProcessBundleDescriptorSchema']>
type Transform = Descriptor['transforms'][string]

export type Element = Windowed<unknown, unknown>

/** Where elements come from or go to: a transform of the engine's, at an address. */
export interface EnginePort {
  readonly transform: string
  readonly address: string
  readonly coder: Coder<Element>
}

export interface Processor {
  readonly source: EnginePort
  /** The transform of the task. */
  readonly transform: string
  readonly task: Task
  /** Output of the task → where it goes; an output that nobody takes is not there. */
  readonly outputs: ReadonlyMap<string, readonly EnginePort[]>
}

/** @throws {TypeError} for a plan that no Sluice made, or that an engine has changed into one it cannot run */
export function processorOf(descriptor: Descriptor, messages: Messages): Processor {
  const transforms = Object.entries(descriptor.transforms)
  const consumers = new Map<string, [string, Transform][]>()
  for (const [id, transform] of transforms) {
    for (const collection of Object.values(transform.inputs)) {
      consumers.set(collection, [...(consumers.get(collection) ?? []), [id, transform]])
    }
  }
  const portOf = (id: string, transform: Transform): EnginePort => {
    const { apiServiceDescriptor, coderId } = messages.read(messages.RemoteGrpcPortSchema, payloadOf(transform))
    const coder = coderOf(coderId, (of) => specOf(descriptor, of)) as Coder<Element>
    return { transform: id, address: apiServiceDescriptor?.url ?? '', coder }
  }
  /** What takes from a collection, without what only passes elements on. */
  const takers = (collection: string): [string, Transform][] =>
    (consumers.get(collection) ?? []).flatMap(([id, transform]) =>
      urnOf(transform) === URN.flatten ? Object.values(transform.outputs).flatMap(takers) : [[id, transform]],
    )
  const [id, source] = only(
    transforms.filter(([, transform]) => urnOf(transform) === URN.source),
    'source',
  )
  const [own, transform] = only(Object.values(source.outputs).flatMap(takers), 'task')
  if (urnOf(transform) !== URN.parDo)
    throw new TypeError(`Cannot run ${urnOf(transform)}: this worker runs tasks of Sluice`)
  const { doFn } = messages.read(messages.ParDoPayloadSchema, payloadOf(transform))
  if (doFn?.urn !== URN.task) throw new TypeError(`Cannot run ${doFn?.urn}: this worker runs tasks of Sluice`)
  const outputs = new Map<string, readonly EnginePort[]>()
  for (const [name, collection] of Object.entries(transform.outputs)) {
    const ports = takers(collection).map(([to, taker]) => {
      if (urnOf(taker) === URN.sink) return portOf(to, taker)
      throw new TypeError(`Cannot pass elements from ${own} to ${to}: the plan has an exchange between them`)
    })
    outputs.set(name, ports)
  }
  return { source: portOf(id, source), transform: own, task: taskOf(doFn.payload), outputs }
}

function only(found: readonly [string, Transform][], what: string): [string, Transform] {
  const [first] = found
  if (first !== undefined && found.length === 1) return first
  throw new TypeError(`Cannot run a bundle with ${found.length} of what should be one ${what}`)
}

function urnOf({ spec }: Transform): string {
  return spec?.urn ?? ''
}

function payloadOf({ spec }: Transform): Uint8Array {
  return spec?.payload ?? new Uint8Array()
}

function specOf({ coders }: Descriptor, id: string): CoderSpec | undefined {
  const found = coders[id]
  return found === undefined ? undefined : { urn: found.spec?.urn ?? '', components: found.componentCoderIds }
}
