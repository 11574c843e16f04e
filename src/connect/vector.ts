// The values of one field of many events, side by side.

/** Numbers. Where `nulls` is 1, there is no value. */
export interface NumberVector {
  readonly kind: 'numbers'
  readonly values: Float64Array
  /** Undefined if there is no null among them. */
  readonly nulls: Uint8Array | undefined
}

/** Texts, each by its number in `texts`, which only grows; two numbers may stand for equal texts. -1 is null. */
export interface SymbolVector {
  readonly kind: 'symbols'
  readonly symbols: Int32Array
  readonly texts: readonly string[]
}

/** Anything else. */
export interface ValueVector {
  readonly kind: 'values'
  readonly values: readonly unknown[]
}

/** The values of one field of the events of a batch. Immutable. */
export type Vector = NumberVector | SymbolVector | ValueVector

/** A vector of values as they are: of numbers, if all of them are numbers or null. NaN, which nothing takes, is not. */
export function vectorOf(values: readonly unknown[]): Vector {
  let nulls: Uint8Array | undefined
  const numbers = new Float64Array(values.length)
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i]
    if (typeof value === 'number' && !Number.isNaN(value)) numbers[i] = value
    else if (value !== null) return { kind: 'values', values }
    else {
      nulls ??= new Uint8Array(values.length)
      nulls[i] = 1
    }
  }
  return { kind: 'numbers', values: numbers, nulls }
}

/**
 * The values of some events.
 *
 * @param rows - the indices of these events
 */
export function pick(vector: Vector, rows: Int32Array): Vector {
  switch (vector.kind) {
    case 'numbers': {
      const { values, nulls } = vector
      const picked = new Float64Array(rows.length)
      for (let i = 0; i < rows.length; i += 1) picked[i] = values[rows[i] as number] as number
      return { kind: 'numbers', values: picked, nulls: nulls && pickBytes(nulls, rows) }
    }
    case 'symbols': {
      const { symbols, texts } = vector
      const picked = new Int32Array(rows.length)
      for (let i = 0; i < rows.length; i += 1) picked[i] = symbols[rows[i] as number] as number
      return { kind: 'symbols', symbols: picked, texts }
    }
    case 'values': {
      const { values } = vector
      return { kind: 'values', values: Array.from(rows, (row) => values[row]) }
    }
  }
}

function pickBytes(bytes: Uint8Array, rows: Int32Array): Uint8Array {
  const picked = new Uint8Array(rows.length)
  for (let i = 0; i < rows.length; i += 1) picked[i] = bytes[rows[i] as number] as number
  return picked
}

/** The values of a vector from one index up to another, exclusive. */
export function cutVector(vector: Vector, from: number, to: number): Vector {
  switch (vector.kind) {
    case 'numbers': {
      const { values, nulls } = vector
      return { kind: 'numbers', values: values.subarray(from, to), nulls: nulls?.subarray(from, to) }
    }
    case 'symbols':
      return { ...vector, symbols: vector.symbols.subarray(from, to) }
    case 'values':
      return { kind: 'values', values: vector.values.slice(from, to) }
  }
}

/** The values of a vector as rows have them; null where there is no value. */
export function valuesOf(vector: Vector): ArrayLike<unknown> {
  switch (vector.kind) {
    case 'numbers': {
      const { values, nulls } = vector
      return nulls === undefined ? values : Array.from(values, (value, i) => (nulls[i] === 1 ? null : value))
    }
    case 'symbols': {
      const { symbols, texts } = vector
      const values: (string | null)[] = []
      for (let i = 0; i < symbols.length; i += 1) values.push(texts[symbols[i] as number] ?? null)
      return values
    }
    case 'values':
      return vector.values
  }
}
