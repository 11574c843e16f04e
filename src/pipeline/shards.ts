// Copies of one pipeline that share its splits: which pipelines can be shared, and what each copy reads.

import { SluiceError } from '../base/errors.ts'
import { ownerOf, type Shard, shardText } from '../connect/shard.ts'
import type { SinkWriter } from '../connect/sink.ts'
import type { PipelineSource } from '../engine/pipeline-source.ts'
import { nodesOf, type Operator } from '../flow/plan.ts'
import { many } from '../observe/text.ts'
import type { PipelineParts } from './pipeline.ts'

/** What looks at one event at a time, wherever the others are. */
const ALONE: readonly Operator['kind'][] = [
  'input',
  'map',
  'filter',
  'flatMap',
  'validate',
  'mapAsync',
  'shuffle',
  'branch',
]

const ONE_PROCESS = 'run it in one process without --shard'

/** @throws {SluiceError} CONFIG_INVALID for a pipeline whose copies would not load what one process loads */
export function refuseUnshared({ source, sink, node }: PipelineParts, name: string, shard: Shard): void {
  const refuse = (what: string, way: string): never => {
    const message = `Cannot run ${name} as shard ${shardText(shard)}: ${what}; ${way}`
    throw new SluiceError('CONFIG_INVALID', message, { key: 'shard', value: shardText(shard), allowed: way })
  }
  const other = nodesOf(node).find(({ operator }) => !ALONE.includes(operator.kind) || isKeyed(operator))?.operator
  if (other !== undefined) {
    const found = `${other.kind === 'source' ? 'another source' : other.kind} (${other.name})`
    refuse(`${found} needs events of all shards`, 'run it in one process, with --threads, or on an engine')
  }
  const { sharing } = source
  if (sharing !== undefined) refuse(`${source.title} does not need it, since ${sharing.how}`, sharing.copies)
  if (source.shared === undefined) refuse(`${source.title} is read as a whole`, ONE_PROCESS)
  if (sink.branches !== undefined) {
    refuse(`the branches of ${sink.title} follow one checkpoint`, `${ONE_PROCESS}, or make a pipeline of each branch`)
  }
  if (sink.takesShards !== true)
    refuse(`${sink.title} keeps one checkpoint of it`, `${ONE_PROCESS}, or write to a database or to files`)
}

/** Calls for equal keys follow each other, wherever their events were read. */
function isKeyed(operator: Operator): boolean {
  return operator.kind === 'mapAsync' && operator.settings.key !== undefined
}

/**
 * Leaves the splits of other shards to them, once all copies are known to see the same.
 *
 * @param onNote - called for splits that nobody reads in this run: they have appeared since, or are on this machine alone
 * @throws {SluiceError} SOURCE_DIFFERS
 */
export async function shareSplits(
  source: PipelineSource,
  writer: SinkWriter<unknown>,
  shard: Shard,
  onNote: (note: string) => void,
): Promise<void> {
  const unseen = (await writer.share?.(await source.forAll())) ?? []
  const [first] = unseen
  if (first !== undefined) {
    const owner = shardText(ownerOf(first.name, shard.count))
    onNote(
      `${many(unseen.length, 'split')} of other shards, such as ${JSON.stringify(first.path)} of shard ${owner}, appeared after those shards had started: the next run loads those that all copies see, and rejects those on one machine only`,
    )
  }
  source.keepShard(shard)
}
