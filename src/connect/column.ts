// The columns of a row: what a table is made from. A small set of types that every store supports.

/** All types of columns. */
export const COLUMN_TYPES = ['text', 'integer', 'real', 'decimal', 'boolean', 'time', 'json', 'bytes'] as const

/**
 * What a column holds: `text` strings; `integer` integers (bigint above 2^53); `real` floating point; `decimal` exact
 * decimal numbers, as strings of digits (`'-12.50'`); `boolean`; `time` epoch milliseconds, UTC; `json` arrays and
 * objects; `bytes` Uint8Arrays.
 */
export type ColumnType = (typeof COLUMN_TYPES)[number]

/** Column name → type, in the order of the table. */
export type Columns = Readonly<Record<string, ColumnType>>
