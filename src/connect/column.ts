// The columns of a row: what a table is made from. One small set of types that every store can hold.

/**
 * What a column holds: `text` strings; `integer` whole numbers (bigint above 2^53); `real` floating point; `boolean`;
 * `time` epoch milliseconds, UTC; `json` arrays and objects.
 */
export type ColumnType = 'text' | 'integer' | 'real' | 'boolean' | 'time' | 'json'

/** Column name → type, in the order of the table. */
export type Columns = Readonly<Record<string, ColumnType>>
