// Advice for the usual errors of loading a user's module.

import { existsSync } from 'node:fs'
import { basename, extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** An error's text, and the advice; `$1` is what the text names. */
const ADVICE: readonly (readonly [error: RegExp, advice: (named: string) => string | undefined])[] = [
  [/^(?:Cannot find module|Directory import) '([^']+)'/, extensionAdvice],
  [/^Cannot find package '([^']+)' imported from/, (name) => `run npm install ${packageOf(name)}`],
  [
    /does not provide an export named '([^']+)'/,
    (name) => `check the spelling; if it is a type, write import type { ${name} }`,
  ],
  [
    /^TypeScript (enum|namespace|parameter property|import equals|export assignment)/,
    () => 'Node strips types and compiles nothing, see https://nodejs.org/api/typescript.html',
  ],
  [/(import) statement outside a module/, () => 'put "type": "module" into package.json, or name the file .mts'],
  [
    /^(require|module|exports|__dirname|__filename) is not defined/,
    () => 'a job is an ES module: use import and export',
  ],
]

/** One line of advice, with a colon in front; empty if there is nothing to advise. */
export function loadAdvice(message: string): string {
  for (const [error, advise] of ADVICE) {
    const named = error.exec(message)?.[1]
    const advice = named === undefined ? undefined : advise(named)
    if (advice !== undefined) return `. ${advice[0]?.toUpperCase()}${advice.slice(1)}`
  }
  return ''
}

/** Node looks for exactly the file that is named. */
function extensionAdvice(path: string): string | undefined {
  const file = path.startsWith('file:') ? fileURLToPath(path) : path
  const stem = extname(file) === '.js' ? file.slice(0, -3) : file
  for (const end of ['.ts', '.mts', '.js', '.mjs', '/index.ts', '/index.js']) {
    if (existsSync(`${stem}${end}`)) return `write the whole name: ${basename(stem)}${end}`
  }
  return undefined
}

/** The package of a specifier: `@scope/name` of `@scope/name/part`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
