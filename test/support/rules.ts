// Rules of the specs, by their numbers, and the titles of tests that begin with them.

/** The rules that titles of tests, and of groups of tests, begin with: `F7, F34: …`. */
export function rulesHeldBy(text: string): Set<string> {
  const heads = text.matchAll(/['"`]([A-Z]\d{1,3}(?:,? [A-Z]\d{1,3})*)(?:: |['"`])/g)
  return new Set([...heads].flatMap(([, head = '']) => head.split(/,? /)))
}

/** The rules that a page of specs lists, as items or rows, less those of the part that says what no test holds. */
export function rulesOn(page: string): string[] {
  const [listed = ''] = page.split(/^## (?:Not yet|Held by no test yet)$/m)
  return [...listed.matchAll(/^(?:- \*\*|\| (?:\*\*)?)([A-Z]\d+)(?:\*\*)? /gm)].map(([, rule = '']) => rule)
}
