// The coder that an engine describes.

import {
  booleanCoder,
  bytesCoder,
  type Coder,
  doubleCoder,
  iterableCoder,
  kvCoder,
  lengthPrefixCoder,
  textCoder,
  varintCoder,
} from './coders.ts'
import { CODER } from './names.ts'
import { globalWindowCoder, intervalWindowCoder, windowedCoder } from './windowed.ts'

/** A coder as a plan names it. */
export interface CoderSpec {
  readonly urn: string
  readonly components: readonly string[]
}

type Any = Coder<unknown>

const MAKES: Readonly<Record<string, (inner: readonly Any[]) => unknown>> = {
  [CODER.bytes]: () => bytesCoder,
  [CODER.text]: () => textCoder,
  [CODER.boolean]: () => booleanCoder,
  [CODER.varint]: () => varintCoder,
  [CODER.double]: () => doubleCoder,
  [CODER.kv]: ([key, value]) => kvCoder(key as Any, value as Any),
  [CODER.iterable]: ([of]) => iterableCoder(of as Any),
  [CODER.lengthPrefix]: ([of]) => lengthPrefixCoder(of as Any),
  [CODER.globalWindow]: () => globalWindowCoder,
  [CODER.intervalWindow]: () => intervalWindowCoder,
  [CODER.windowed]: ([of, window]) => windowedCoder(of as Any, window as Any),
}

/**
 * @param specOf - how the plan describes the coder of this id
 * @throws {TypeError} for a coder that this worker does not know
 */
export function coderOf(id: string, specOf: (id: string) => CoderSpec | undefined): Any {
  const { urn = 'no description', components = [] } = specOf(id) ?? {}
  const make = MAKES[urn]
  if (make === undefined) throw new TypeError(`Cannot read elements of coder ${id}: this worker does not know ${urn}`)
  return make(components.map((component) => coderOf(component, specOf))) as Any
}
