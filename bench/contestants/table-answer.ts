// What a loaded table says: the same whoever loaded it.

import { DatabaseSync } from 'node:sqlite'

/** Sums over every column of `requests`, and the number of dead letters. */
export function tableAnswer(path: string): string {
  const db = new DatabaseSync(path, { readOnly: true })
  const sums = db
    .prepare(
      `SELECT count(*) AS n, sum(line) AS line, sum("offset") AS o, sum(time % 1000003) AS t, sum(status) AS s,
         sum(bytes) AS b, sum(length(host) + length(ident) + length(user) + length(request)) AS text1,
         sum(length(method) + length(path) + length(protocol) + length(referer) + length(agent)) AS text2,
         (SELECT count(*) FROM dead_letters) AS dead
       FROM requests`,
    )
    .get()
  db.close()
  return JSON.stringify(sums)
}
