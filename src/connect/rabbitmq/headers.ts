// Headers of a message as AMQP has them: a table that must fit into one frame.

/** The longest name, and the largest table, in bytes: the client encodes no larger one. */
const NAME_BYTES = 255
const TABLE_BYTES = 64 * 1024
/** A table's length; and of each of its texts the length of its name, its type, and its own length. */
const TABLE_HEAD = 4
const TEXT_HEAD = 1 + 1 + 4

/**
 * Why headers cannot go with a message; undefined where they can.
 *
 * @example
 * refusesHeaders({ country: 'de' }) // => undefined
 * refusesHeaders({ ['x'.repeat(256)]: 'de' }) // => 'a header whose name has 256 bytes: at most 255 go'
 */
export function refusesHeaders(headers: Readonly<Record<string, string>>): string | undefined {
  let bytes = TABLE_HEAD
  for (const [name, value] of Object.entries(headers)) {
    const nameBytes = Buffer.byteLength(name)
    if (nameBytes > NAME_BYTES) return `a header whose name has ${nameBytes} bytes: at most ${NAME_BYTES} go`
    bytes += TEXT_HEAD + nameBytes + Buffer.byteLength(value)
  }
  return bytes <= TABLE_BYTES ? undefined : `headers of ${bytes} bytes: at most ${TABLE_BYTES} go`
}

/** Whether two messages have the same headers. */
export function sameHeaders(
  a: Readonly<Record<string, unknown>> | undefined,
  b: Readonly<Record<string, unknown>> | undefined,
): boolean {
  const [ours, theirs] = [Object.entries(a ?? {}), new Map(Object.entries(b ?? {}))]
  return ours.length === theirs.size && ours.every(([name, value]) => theirs.get(name) === value)
}
