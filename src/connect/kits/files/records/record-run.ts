// Plain records of a grammar, each with its position.

import type { RecordPlace, Run } from './cutter.ts'

/** The plain records' texts, and where the last one began. */
export interface PlainRecords {
  nextText(): string | undefined
  readonly lastOffset: number
  readonly lastLine: number
}

/** The records of a cutter, one after the other. Memory: the texts of those returned. */
export class RecordRun implements Run {
  readonly fault = undefined
  readonly #records: PlainRecords
  readonly #texts: string[] = []
  readonly #offsets: number[] = []
  readonly #lines: number[] = []

  constructor(records: PlainRecords) {
    this.#records = records
  }

  get given(): number {
    return this.#texts.length
  }

  get line(): number {
    return this.#records.lastLine
  }

  get offset(): number {
    return this.#records.lastOffset
  }

  next(): string | undefined {
    const records = this.#records
    const text = records.nextText()
    if (text === undefined) return undefined
    this.#texts.push(text)
    this.#offsets.push(records.lastOffset)
    this.#lines.push(records.lastLine)
    return text
  }

  placeOf(index: number): RecordPlace {
    return {
      line: this.#lines[index] as number,
      offset: this.#offsets[index] as number,
      raw: this.#texts[index] as string,
    }
  }
}
