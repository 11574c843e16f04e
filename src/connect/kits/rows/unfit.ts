// An objection to a value: its row becomes a dead letter, and the others continue.

/** Thrown for a value that cannot be represented. */
export class Unfit extends Error {
  override readonly name: string = 'Unfit'
}
