// How the values of one column travel together: by type, not one by one.

/**
 * Values in a row, in a form that is cheap to post. Plain data, so that it can be cloned; its buffers can be
 * transferred.
 *
 * - `records` and `tuples`: one column per key or index; `keys` is the list of keys as JSON.
 * - `lists`: arrays of differing lengths, their items one after the other.
 * - `sparse`: `tags` say whether each value is present (0), null (1) or undefined (2); `there` has the present ones.
 * - `dictionary`: the distinct texts, and the number of each value among them.
 * - `texts`: blocks of sixteen joined texts, and the length of each text.
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
