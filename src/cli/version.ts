// Which release this is.

import { readFileSync } from 'node:fs'

export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL(import.meta.resolve('sluice/package.json')), 'utf8'))
  return String((manifest as { readonly version: unknown }).version)
}
