// The names of a CSV file's columns.

/**
 * Names for columns: those of a header if present, `column3` for an empty one in third place. A duplicate name gets a
 * number, `price_2`, or the next free one.
 *
 * @example
 * columnNames(['id', '', 'id', 'id_2']) // => ['id', 'column2', 'id_3', 'id_2']
 */
export function columnNames(header: readonly (string | null)[]): string[] {
  const wanted = header.map((name, place) => name || `column${place + 1}`)
  // A name in the file takes precedence over a generated one.
  const taken = new Set(wanted)
  const given = new Set<string>()
  /** The last number used, by name: many columns of one name must not take quadratic time. */
  const numbers = new Map<string, number>()
  return wanted.map((name) => {
    let free = name
    if (given.has(name)) {
      let number = (numbers.get(name) ?? 1) + 1
      while (taken.has(`${name}_${number}`)) number += 1
      free = `${name}_${number}`
      numbers.set(name, number)
    }
    taken.add(free)
    given.add(free)
    return free
  })
}

/** The names of unnamed columns. */
export function numberedNames(count: number): string[] {
  return columnNames(Array.from({ length: count }, () => null))
}
