// How many values of one place in the events travel together: as what they are made of, not one by one.

/**
 * Values in a row, in a form that a port carries cheaply. Plain data, so that it can be cloned; the buffers can be
 * transferred.
 *
 * - `records` and `tuples`: one column for each key or place; `keys` is the list of keys as JSON.
 * - `lists`: arrays of differing lengths, their items one after the other.
 * - `sparse`: `tags` say of each value whether it is there (0), null (1) or undefined (2); `there` has those that are.
 * - `dictionary`: the distinct texts, and for each value its number among them.
 * - `texts`: sixteen texts joined to a block, and the length of each.
 * - `cloned`: anything; the port clones it.
 */
export type Column =
  | { readonly kind: 'numbers'; readonly values: Float64Array<ArrayBuffer> }
  | { readonly kind: 'dates'; readonly values: Float64Array<ArrayBuffer> }
  | { readonly kind: 'booleans'; readonly values: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'dictionary'; readonly codes: Uint16Array<ArrayBuffer>; readonly distinct: readonly string[] }
  | { readonly kind: 'texts'; readonly lengths: Uint16Array<ArrayBuffer>; readonly blocks: readonly string[] }
  | { readonly kind: 'sparse'; readonly tags: Uint8Array<ArrayBuffer>; readonly there: Column }
  | { readonly kind: 'lists'; readonly lengths: Uint32Array<ArrayBuffer>; readonly items: Column }
  | { readonly kind: 'records'; readonly length: number; readonly keys: string; readonly columns: readonly Column[] }
  | { readonly kind: 'tuples'; readonly length: number; readonly columns: readonly Column[] }
  | { readonly kind: 'cloned'; readonly values: readonly unknown[] }
