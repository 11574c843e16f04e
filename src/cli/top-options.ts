// Options of `sluice top`.

import { redact } from '../observe/redact.ts'
import { commandInvalid, FILE_OPTIONS, parse, readMs } from './options.ts'

export interface TopOptions {
  /** The address of the dashboard; undefined only if `help` is requested without one, or there is `run`. */
  readonly url: URL | undefined
  /** The options for `sluice run`: a file is run, and shown meanwhile. */
  readonly run?: readonly string[]
  readonly once: boolean
  /** Between two snapshots, in clock milliseconds; undefined: a second on a terminal, and one snapshot elsewhere. */
  readonly everyMs: number | undefined
  readonly help: boolean
}

/**
 * @throws {SluiceError} COMMAND_INVALID for an invalid command line
 */
export function readTopOptions(argv: readonly string[]): TopOptions {
  if (argv.some(isFile)) return ofFile(argv)
  const flags = { help: FILE_OPTIONS.help, once: { type: 'boolean' }, every: { type: 'string' } } as const
  const { values, positionals } = parse('top', argv, flags)
  const { help = false, once = false, every } = values
  const [where, extra] = positionals
  if (extra !== undefined)
    throw commandInvalid(extra, `sluice top takes one address: found ${shown(where)} and ${shown(extra)}`)
  if (where === undefined && !help) {
    throw commandInvalid('top', 'sluice top needs a file, or the address of a dashboard: sluice top FILE|URL')
  }
  const everyMs = everyMsOf(every)
  return { url: where === undefined ? undefined : urlOf(where), once, everyMs, help }
}

/** Whether a word is the file of a pipeline, and not an address. */
function isFile(word: string): boolean {
  return /\.[cm]?[jt]s$/.test(word) && !word.startsWith('-') && !word.includes('://')
}

/** All options but the interval are for `sluice run`. */
function ofFile(argv: readonly string[]): TopOptions {
  const run: string[] = []
  let every: string | undefined
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] as string
    if (word === '--every') {
      at += 1
      every = argv[at] ?? ''
    } else if (word.startsWith('--every=')) every = word.slice('--every='.length)
    else run.push(word)
  }
  return { url: undefined, run, once: false, everyMs: everyMsOf(every), help: false }
}

function everyMsOf(every: string | undefined): number | undefined {
  return every === undefined ? undefined : readMs('--every', every, { min: 0.1, unitMs: 1000 })
}

/** An address, or a port of this machine: `http://127.0.0.1:4000`, `127.0.0.1:4000`, `4000`. */
function urlOf(text: string): URL {
  const whole = /^\d{1,5}$/.test(text) ? `http://127.0.0.1:${text}` : text.includes('://') ? text : `http://${text}`
  const url = URL.canParse(whole) ? new URL(whole) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw commandInvalid(
      text,
      `sluice top takes the address of a dashboard, such as http://127.0.0.1:4000: found ${shown(text)}`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw commandInvalid(
      url.host,
      `sluice top takes no credentials in an address: set SLUICE_TOKEN to the token of ${url.host}`,
    )
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

function shown(text: string | undefined): string {
  return redact(text ?? '')
}
