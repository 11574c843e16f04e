import { equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { csvLine } from './write.ts'

describe('csvLine', () => {
  it('quotes what would not be read as it stands', () => {
    equal(
      csvLine(['a', 'b c', 'd,e', 'f"g', 'h\ni', ' j', 'k ', '#l', '', 'é']),
      'a,b c,"d,e","f""g","h\ni"," j","k ","#l","",é\r\n',
    )
  })

  it('writes nothing for null, and quotes for a text of no characters', () => {
    equal(csvLine([null, undefined, '']), ',,""\r\n')
  })

  it('writes numbers, booleans, dates and JSON', () => {
    const cells = [1.5, -0, 10n, true, new Date(0), { a: [1] }]
    equal(csvLine(cells), '1.5,-0,10,true,1970-01-01T00:00:00.000Z,"{""a"":[1]}"\r\n')
  })

  it('quotes by the delimiter it is given', () => {
    equal(csvLine(['a,b', 'c;d', 'e\tf'], { delimiter: ';' }), 'a,b;"c;d";e\tf\r\n')
    throws(() => csvLine([], { delimiter: '"' }), TypeError)
    throws(() => csvLine([], { delimiter: ',,' }), TypeError)
  })

  it('S1: makes text of what a spreadsheet would run, and leaves numbers', () => {
    const safe = (value: unknown) => csvLine([value], { spreadsheetSafe: true }).trimEnd()
    for (const [value, expected] of [
      ['=1+1', "'=1+1"],
      ['+1', "'+1"],
      ['-1', "'-1"],
      ['@SUM(1)', "'@SUM(1)"],
      ['\t=1', "'\t=1"],
      ['\r=1', '"\'\r=1"'],
      [' =1', "' =1"],
      ['"=1"', '"\'""=1"""'],
      ["'=1", "''=1"],
      ['a=1', 'a=1'],
    ] as const) {
      equal(safe(value), expected)
    }
    equal(safe(-1), '-1')
    equal(safe(-1n), '-1')
  })

  it('refuses what is no cell', () => {
    throws(
      () => csvLine([() => 1]),
      /^TypeError: a cell of CSV is a text, a number, a boolean, a date or JSON: found function/,
    )
    throws(() => csvLine([Symbol('x')]), TypeError)
  })
})
