// Operator states as bytes, and back.

import { deserialize, serialize } from 'node:v8'
import { messageOf, SluiceError } from '../base/errors.ts'

/** Written before every state: a format of a later version is rejected. */
const VERSION = 1

/**
 * A state as bytes. Everything that structured clone supports is restored as it was: Maps, Sets, Dates, bigints, NaN.
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
    const message = `Cannot store the state of ${operator}: ${found}`
    throw new SluiceError('STATE_NOT_KEPT', message, { operator, found }, { cause: error })
  }
}

/**
 * @throws {SluiceError} STATE_NOT_KEPT for bytes of another version, or that hold no state
 */
export function unpackState(operator: string, packed: Uint8Array): unknown {
  const refuse = (found: string, cause?: unknown) =>
    new SluiceError(
      'STATE_NOT_KEPT',
      `Cannot restore the state of ${operator}: ${found}`,
      { operator, found },
      { cause },
    )
  if (packed[0] !== VERSION) throw refuse(`its state has version ${packed[0]}, this Sluice reads ${VERSION}`)
  try {
    return deserialize(packed.subarray(1))
  } catch (error) {
    throw refuse('its state cannot be read', error)
  }
}
