// Where zstd frames begin and end, by their headers (RFC 8878, section 3.1).

import { isSkippable, isZstdFrame } from './encoding.ts'

/** Bytes of one frame, and whether they complete it. */
export interface FramePart {
  readonly bytes: Buffer
  readonly isWhole: boolean
}

/** What the next bytes of the data are. */
type Part = 'magic' | 'skip-size' | 'skip' | 'descriptor' | 'header' | 'block-header' | 'block' | 'checksum'

const RLE_BLOCK = 1
const RESERVED_BLOCK = 3

/**
 * Splits zstd data at the ends of frames.
 *
 * A decompressor of Node takes one frame from a write: what follows it in the same write is silently dropped, and so is
 * the end of a truncated frame. This machine finds each frame's end, and whether the data may end there.
 *
 * @throws {RangeError} from `push`, if the data is not zstd
 */
export class ZstdFrames {
  /** What the next bytes are. */
  #part: Part = 'magic'
  /** How many more bytes that part has. */
  #left = 4
  /** The bytes of a part that is a number, gathered over blocks: at most 4 bytes. */
  #field: number[] = []
  /** Whether the frame has a checksum after its blocks. */
  #hasChecksum = false
  /** Whether the current block is the frame's last. */
  #isLastBlock = false
  /** How many bytes were seen. */
  #seenBytes = 0

  /** How many bytes were seen: the position of the error, if `push` throws. */
  get seenBytes(): number {
    return this.#seenBytes
  }

  /** Whether the data may end here: between two frames. */
  get isBetweenFrames(): boolean {
    return this.#part === 'magic' && this.#field.length === 0
  }

  /** Takes the next bytes, and returns them in parts, none of which extends into another frame: views of them. */
  push(block: Buffer): FramePart[] {
    const parts: FramePart[] = []
    let from = 0
    let isFromStart = this.isBetweenFrames
    for (let at = 0; at < block.length; ) {
      const bytes = Math.min(this.#left, block.length - at)
      if (isField(this.#part)) for (let i = 0; i < bytes; i += 1) this.#field.push(block[at + i] ?? 0)
      at += bytes
      this.#left -= bytes
      this.#seenBytes += bytes
      if (this.#left === 0) this.#advance()
      if (at < block.length && !this.isBetweenFrames) continue
      parts.push({ bytes: block.subarray(from, at), isWhole: isFromStart && this.isBetweenFrames })
      from = at
      isFromStart = true
    }
    return parts
  }

  #enterFrame(magic: number): void {
    if (isSkippable(magic)) return this.#expect('skip-size', 4)
    if (!isZstdFrame(magic)) {
      this.#seenBytes -= 4
      throw new RangeError('not a zstd frame')
    }
    this.#expect('descriptor', 1)
  }

  /** Advances from a complete part to the next one that has bytes. */
  #advance(): void {
    const field = this.#field
    this.#field = []
    switch (this.#part) {
      case 'magic':
        this.#enterFrame(Buffer.from(field).readUInt32LE(0))
        break
      case 'skip-size':
        this.#expect('skip', Buffer.from(field).readUInt32LE(0))
        break
      case 'descriptor':
        this.#expect('header', this.#headerBytes(field[0] ?? 0))
        break
      case 'header':
        this.#expect('block-header', 3)
        break
      case 'block-header':
        this.#expect('block', this.#blockBytes(Buffer.from(field).readUIntLE(0, 3)))
        break
      case 'block':
        if (!this.#isLastBlock) this.#expect('block-header', 3)
        else this.#expect(this.#hasChecksum ? 'checksum' : 'magic', 4)
        break
      default:
        this.#expect('magic', 4)
    }
    if (this.#left === 0) this.#advance()
  }

  #expect(part: Part, bytes: number): void {
    this.#part = part
    this.#left = bytes
  }

  /** The length of the rest of the frame header: window, dictionary and content size are each optional. */
  #headerBytes(descriptor: number): number {
    this.#hasChecksum = (descriptor & 0x04) !== 0
    const isSingleSegment = (descriptor & 0x20) !== 0
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 0x03] ?? 0
    const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
    return (isSingleSegment ? 0 : 1) + dictionaryBytes + contentSizeBytes
  }

  #blockBytes(header: number): number {
    this.#isLastBlock = (header & 1) === 1
    const kind = (header >> 1) & 0x03
    if (kind === RESERVED_BLOCK) throw new RangeError('a block has an unknown type')
    return kind === RLE_BLOCK ? 1 : header >> 3
  }
}

function isField(part: Part): boolean {
  return part !== 'skip' && part !== 'block' && part !== 'checksum' && part !== 'header'
}
