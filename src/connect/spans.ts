// Where the fields of records lie in their bytes.

/**
 * Where one field of each record lies: the field of record i begins at `bounds[i * stride + place]`, and ends `gap`
 * bytes before the next bound; it is null if its bound is negative.
 */
export interface Spans {
  readonly bytes: Buffer
  readonly bounds: Int32Array
  readonly stride: number
  readonly place: number
  /** How many bytes are between the end of the field and the next bound: 1 for a delimiter, 2 for CR LF. */
  readonly gap: number
  readonly count: number
  /** Whether an empty one is null. */
  readonly isEmptyNull: boolean
}
