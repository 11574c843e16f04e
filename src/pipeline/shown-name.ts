// A pipeline as people know it.

/**
 * The name, with the copy's number if there are several.
 *
 * @example
 * shownName({ pipeline: 'orders', shard: '2/8' }) // => 'orders 2/8'
 */
export function shownName({ pipeline, shard }: { readonly pipeline: string; readonly shard?: string }): string {
  return shard === undefined ? pipeline : `${pipeline} ${shard}`
}
