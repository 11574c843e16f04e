// Which columns a table in SQLite has.

import { FOLDED, type ShapeRules } from '../../kits/sql/shape.ts'

/** Without a key, rows are identified by the origin of their record, and their number within it. */
export const RULES: ShapeRules = {
  ...FOLDED,
  identity: [
    { name: '_source', type: 'text' },
    { name: '_offset', type: 'integer' },
    { name: '_part', type: 'integer' },
  ],
}
