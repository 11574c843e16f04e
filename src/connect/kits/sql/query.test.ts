import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type SqlDialect, trimQuery } from './query.ts'

const postgresSink: SqlDialect = { nestsComments: true, hasDollars: true }
const sqliteSink: SqlDialect = { hasBrackets: true }

describe('trimQuery', () => {
  it('R4: takes off semicolons, blanks and comments behind a statement', () => {
    for (const behind of ['', ';', ' ;\n; ', '-- all', ' -- a;\n', '/* b */;', '; /* c; */ -- d', ' /* open', '--']) {
      deepEqual(trimQuery(`select a from t${behind}`, {}), { text: 'select a from t', hasMore: false })
    }
    equal(trimQuery('-- first\nselect 1 /* in */ + 2;', {}).text, '-- first\nselect 1 /* in */ + 2')
  })

  it('R4: ends nothing at a semicolon in a text, a name or a comment', () => {
    for (const sql of [
      `select ';', ''';', "a;""b", 1 -- ;
        , 2 /* ; */`,
      'select `a;``b`',
      "select '--', '/*'",
    ]) {
      deepEqual(trimQuery(`${sql} from t;`, {}), { text: `${sql} from t`, hasMore: false })
    }
    for (const sql of [
      'select $$;$$, $a$ $$; $a$',
      "select e'\\';', 1 as e",
      'select 1 /* /* ; */ ; */ + 1',
      'select a$b$c',
    ]) {
      deepEqual(trimQuery(`${sql};`, postgresSink), { text: sql, hasMore: false })
    }
    deepEqual(trimQuery('select [a;b] from t;', sqliteSink), { text: 'select [a;b] from t', hasMore: false })
    deepEqual(trimQuery('select a[1] from t;', postgresSink), { text: 'select a[1] from t', hasMore: false })
  })

  it('R4: tells that another statement follows', () => {
    equal(trimQuery('select 1; select 2', {}).hasMore, true)
    equal(trimQuery('select 1;; -- a\n delete from t', {}).hasMore, true)
    equal(trimQuery("select '\\'; select 2", sqliteSink).hasMore, true)
  })
})
