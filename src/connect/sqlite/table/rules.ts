// What columns a table in SQLite has.

import { FOLDED, type ShapeRules } from '../../kits/sql/shape.ts'

/** Where no key was named, rows are told apart by the place of their record, and which row of it they are. */
export const RULES: ShapeRules = {
  ...FOLDED,
  identity: [
    { name: '_source', type: 'text' },
    { name: '_offset', type: 'integer' },
    { name: '_part', type: 'integer' },
  ],
}
