// The built files of the page: held in memory, compressed.

import { gunzipSync } from 'node:zlib'
import type { Answer } from './answer.ts'
import { BUILT_PAGE } from './built-page.ts'

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

const packed = new Map(Object.entries(BUILT_PAGE).map(([name, text]) => [`/${name}`, Buffer.from(text, 'base64')]))

/** The file at a path; undefined if there is no such file. */
export function pageFile(path: string, accepted: string | string[] | undefined): Answer | undefined {
  const name = path === '/' ? '/index.html' : path
  const body = packed.get(name)
  const type = TYPES[name.slice(name.lastIndexOf('.') + 1)]
  if (body === undefined || type === undefined) return undefined
  if (!/\bgzip\b/.test(`${accepted}`)) return { type, body: gunzipSync(body), headers: { vary: 'accept-encoding' } }
  return { type, body, headers: { 'content-encoding': 'gzip', vary: 'accept-encoding' } }
}
