// Columns of texts: a dictionary if few are distinct, blocks of joined texts otherwise.

import type { Column } from './column.ts'

/** Texts per block. A text cut out of a block may keep all of it in memory: small blocks bound that. */
const BLOCK = 16
/** Longer texts are cloned one by one: joining them gains nothing, and would hold much memory. */
const LONGEST_JOINED = 1000
/** Distinct texts that are allowed at the start, before the limit of a quarter applies. */
const FREE_DISTINCT = 32
/** Codes have 16 bits. */
const MOST_DISTINCT = 1 << 16

/** Packs texts as a dictionary if at most about a quarter is distinct, else as blocks; very long ones as they are. */
export function packTexts(values: readonly string[]): Column {
  return packDictionary(values) ?? packBlocks(values) ?? { kind: 'cloned', values }
}

function packDictionary(values: readonly string[]): Column | undefined {
  const codes = new Uint16Array(values.length)
  const codeOf = new Map<string, number>()
  const distinct: string[] = []
  for (let i = 0; i < values.length; i += 1) {
    const text = values[i] as string
    let code = codeOf.get(text)
    if (code === undefined) {
      code = distinct.length
      if (code > FREE_DISTINCT + i / 4 || code === MOST_DISTINCT) return undefined
      codeOf.set(text, code)
      distinct.push(text)
    }
    codes[i] = code
  }
  return distinct.length * 2 > values.length ? undefined : { kind: 'dictionary', codes, distinct }
}

function packBlocks(values: readonly string[]): Column | undefined {
  const lengths = new Uint16Array(values.length)
  const blocks: string[] = []
  for (let from = 0; from < values.length; from += BLOCK) {
    const to = Math.min(from + BLOCK, values.length)
    let block = ''
    for (let i = from; i < to; i += 1) {
      const text = values[i] as string
      if (text.length > LONGEST_JOINED) return undefined
      lengths[i] = text.length
      block += text
    }
    blocks.push(block)
  }
  return { kind: 'texts', lengths, blocks }
}

/** The texts of a dictionary. */
export function unpackDictionary(codes: Uint16Array, distinct: readonly string[]): string[] {
  const values: string[] = []
  for (let i = 0; i < codes.length; i += 1) values.push(distinct[codes[i] as number] as string)
  return values
}

/** The texts of blocks. */
export function unpackBlocks(lengths: Uint16Array, blocks: readonly string[]): string[] {
  const values: string[] = []
  for (let b = 0, i = 0; b < blocks.length; b += 1) {
    const block = blocks[b] as string
    const end = Math.min(i + BLOCK, lengths.length)
    for (let from = 0; i < end; i += 1) {
      const to = from + (lengths[i] as number)
      values.push(block.slice(from, to))
      from = to
    }
  }
  return values
}
