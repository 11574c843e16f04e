// What has to hold for a table or query to be read on where an earlier run came to.

/** In words, for a person. @param hasCursor - whether a column tells which rows are new */
export function readOnBy(hasCursor: boolean): string {
  return hasCursor
    ? 'as long as the column only grows'
    : 'as long as the same rows come in the same order, and new ones last'
}
