// States of operators as bytes, and back.

import { deserialize, serialize } from 'node:v8'
import { messageOf, SluiceError } from '../base/errors.ts'

/** Written in front of every state: what a later version writes in another way is refused. */
const VERSION = 1

/**
 * A state as bytes. What structured clone carries comes back as it is: Maps, Sets, Dates, bigints, NaN.
 *
 * @throws {SluiceError} STATE_NOT_KEPT for functions, promises and the like
 */
export function packState(operator: string, state: unknown): Uint8Array {
  try {
    const bytes = serialize(state)
    const packed = new Uint8Array(bytes.length + 1)
    packed[0] = VERSION
    packed.set(bytes, 1)
    return packed
  } catch (error) {
    const found = messageOf(error)
    const message = `Cannot keep the state of ${operator}: ${found}`
    throw new SluiceError('STATE_NOT_KEPT', message, { operator, found }, { cause: error })
  }
}

/** @throws {SluiceError} STATE_NOT_KEPT for bytes of another version, or no state at all */
export function unpackState(operator: string, packed: Uint8Array): unknown {
  const refuse = (found: string, cause?: unknown) =>
    new SluiceError('STATE_NOT_KEPT', `Cannot go on with ${operator}: ${found}`, { operator, found }, { cause })
  if (packed[0] !== VERSION) throw refuse(`its state is of version ${packed[0]}, this Sluice reads ${VERSION}`)
  try {
    return deserialize(packed.subarray(1))
  } catch (error) {
    throw refuse('its state cannot be read', error)
  }
}
