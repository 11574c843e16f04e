// The format of forms: `application/x-www-form-urlencoded`, as browsers and many webhooks send it.

import { messageOf } from '../../base/errors.ts'
import { type LineFormat, Rejection } from '../format.ts'
import { gathered, type NamedTexts } from '../kits/text/named-texts.ts'

/** Fields of one form, as many as a record has. */
const MOST_FIELDS = 10_000

/**
 * Parses a body as the fields of a form: a text if a name occurs once, a list of texts if it occurs more often.
 *
 * - **Rejected**: a `%` not followed by two hexadecimal digits, bytes that are not UTF-8, over 10,000 fields.
 *
 * @example
 * form().open(() => [])('tag=new&tag=paid&total=9+%E2%82%AC', { source: 'webhook /', line: 0, offset: 0, raw: '' })
 * // => { tag: ['new', 'paid'], total: '9 €' }
 */
export function form(): LineFormat<NamedTexts> {
  return { name: 'form', open: () => parsed }
}

function parsed(text: string): NamedTexts | Rejection {
  try {
    return formTexts(text)
  } catch (error) {
    return new Rejection(messageOf(error))
  }
}

/**
 * The texts of a form, or of a URL's query, by name.
 *
 * @throws {TypeError} for invalid text
 */
export function formTexts(text: string): NamedTexts {
  const fields = text === '' ? [] : text.split('&', MOST_FIELDS + 1)
  if (fields.length > MOST_FIELDS) throw new TypeError(`more than ${MOST_FIELDS.toLocaleString('en-US')} fields`)
  return gathered(
    fields.filter(Boolean).map((field) => {
      const at = field.indexOf('=')
      return at === -1 ? [decoded(field), ''] : [decoded(field.slice(0, at)), decoded(field.slice(at + 1))]
    }),
  )
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (error) {
    const found = JSON.stringify(text.slice(0, 60).toWellFormed())
    throw new TypeError(`a field is not UTF-8 in % and two digits: found ${found}`, { cause: error })
  }
}
