// A file's first lines, for formats that detect their dialect from them.

import { BLOCK_BYTES } from '../bytes/file-blocks.ts'
import { LineCutter } from './line-cutter.ts'

/** How much of a file its format is shown, in bytes of content. */
export const HEAD_LINES_BYTES: number = BLOCK_BYTES

/**
 * The lines in a file's first bytes, as a parser would get them: without blank and invalid ones.
 *
 * @param isWhole - whether the bytes are the whole file: its last line may then lack its line end
 */
export function headLines(bytes: Buffer, isWhole: boolean, maxLineBytes: number): string[] {
  const cutter = new LineCutter({ maxLineBytes, isFileStart: true })
  const lines: string[] = []
  const take = () => {
    for (let line = cutter.next(); line !== undefined; line = cutter.next()) {
      if (line.fault === undefined) lines.push(line.text)
    }
  }
  cutter.push(bytes)
  take()
  if (isWhole) {
    cutter.end()
    take()
  }
  return lines
}
