// The structured data of RFC 5424: `[id name="value" …][id …]`.

import { Rejection } from '../../format.ts'
import { addText } from '../../kits/text/named-texts.ts'
import { endOfQuoted } from '../../kits/text/quoted.ts'
import { refuse } from '../../kits/text/refuse.ts'
import type { SyslogData } from './message.ts'

const SPACE = 0x20
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** Where a name ends. */
const NAME_END = /[\s="\]]|$/g

export interface StructuredData {
  readonly data: SyslogData
  /** Where it ends. */
  readonly to: number
}

/** Reads elements from `at`, where a bracket opens: each character is looked at once. */
export function readStructuredData(text: string, at: number): StructuredData | Rejection {
  const elements = new Map<string, SyslogData[string]>()
  let to = at
  while (text.charCodeAt(to) === OPEN_BRACKET) {
    const idTo = endOfName(text, to + 1)
    const id = text.slice(to + 1, idTo)
    if (id === '') return refuse(text, to + 1, 'an element of structured data has no name')
    if (elements.has(id)) return refuse(text, to + 1, 'an element of structured data comes twice')
    const parameters = new Map<string, string | string[]>()
    const end = readParameters(text, idTo, parameters)
    if (end instanceof Rejection) return end
    // Names are data: `__proto__` is one like any other.
    elements.set(id, Object.fromEntries(parameters))
    to = end
  }
  return { data: Object.fromEntries(elements), to }
}

/** Reads ` name="value"` until a bracket closes; returns where that is. */
function readParameters(text: string, from: number, into: Map<string, string | string[]>): number | Rejection {
  let at = from
  while (text.charCodeAt(at) === SPACE) {
    const nameTo = endOfName(text, at + 1)
    const name = text.slice(at + 1, nameTo)
    if (name === '') return refuse(text, at + 1, 'a parameter of structured data has no name')
    if (!text.startsWith('="', nameTo)) return refuse(text, nameTo, 'no =" after the name of a parameter')
    const valueTo = endOfQuoted(text, nameTo + 2)
    if (valueTo === -1) return refuse(text, text.length, 'no quote at the end of a value')
    addText(into, name, unescaped(text.slice(nameTo + 2, valueTo)))
    at = valueTo + 1
  }
  return text.charCodeAt(at) === CLOSE_BRACKET ? at + 1 : refuse(text, at, 'no ] after structured data')
}

function endOfName(text: string, at: number): number {
  NAME_END.lastIndex = at
  return NAME_END.exec(text)?.index ?? text.length
}

/** A backslash before anything but a quote, a bracket or another backslash stands for itself. */
function unescaped(value: string): string {
  return value.includes('\\') ? value.replace(/\\(["\\\]])/g, '$1') : value
}
