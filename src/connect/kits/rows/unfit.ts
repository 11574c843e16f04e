// What stands against a value: its row becomes a dead letter, and the others go on.

/** Thrown for a value that cannot be given as it is. */
export class Unfit extends Error {
  override readonly name: string = 'Unfit'
}
