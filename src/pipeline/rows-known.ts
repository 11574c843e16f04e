// What is known of the rows of a pipeline before the first one comes.

import type { SinkOptions } from '../connect/sink.ts'
import { columnsOf, fieldsOf } from '../flow/fields.ts'
import type { PipelineParts } from './pipeline.ts'

/**
 * The columns of the rows, where the plan and the source say all of them; else the types of those that they say.
 *
 * @param waiting - a source may have to look at its data
 */
export async function rowsKnown(
  { source, node }: Pick<PipelineParts, 'source' | 'node'>,
  waiting: { readonly signal?: AbortSignal },
): Promise<Pick<SinkOptions, 'columns' | 'types'>> {
  // A source is not asked where functions make the rows in any case.
  const isOfSource = fieldsOf(node, {}) !== undefined
  const input = isOfSource ? (source.columns ?? (await source.findColumns?.(waiting))) : undefined
  const { columns, areAll } = columnsOf(fieldsOf(node, input))
  if (areAll) return { columns }
  return Object.keys(columns).length === 0 ? {} : { types: columns }
}
