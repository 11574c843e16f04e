// Where the command line puts the dashboard, and who may see it.

import { SluiceError } from '../base/errors.ts'
import { type Dashboard, type DashboardOptions, startDashboard } from '../dashboard/dashboard.ts'
import type { Io } from './io.ts'

/** `[HOST:]PORT`; all undefined if not given. */
export interface DashboardAddress {
  readonly host: string | undefined
  readonly port: number | undefined
}

/** The port if none is given and it is free. */
const USUAL_PORT = 4000

/** `[HOST:]PORT` */
const ADDRESS = /^(?:(?:\[([0-9a-f:.]+)\]|([\w.-]+)):)?(\d{1,5})$/i

/** A `--dashboard` takes the next word only if that is an address. */
export function withBareDashboard(argv: readonly string[]): string[] {
  const words: string[] = []
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] as string
    if (word === '--') return [...words, ...argv.slice(at)]
    const next = argv[at + 1] ?? ''
    const isAddress = word === '--dashboard' && ADDRESS.test(next)
    words.push(word === '--dashboard' ? `--dashboard=${isAddress ? next : ''}` : word)
    if (isAddress) at += 1
  }
  return words
}

/**
 * @throws {SluiceError} COMMAND_INVALID if `text` is not `[HOST:]PORT`
 */
export function readDashboardAddress(text: string): DashboardAddress {
  if (text === '') return { host: undefined, port: undefined }
  const [, sixth, named, digits] = ADDRESS.exec(text) ?? []
  const port = Number(digits)
  if (digits !== undefined && port <= 65_535) return { host: sixth ?? named, port }
  const message = `--dashboard must be a port, or an address and a port, such as 4000 or 0.0.0.0:4000: found ${text}`
  throw new SluiceError('COMMAND_INVALID', message, { argument: text })
}

/**
 * Opens the dashboard where the command line puts it; on a free port if none was given and the usual one is taken.
 *
 * @param env - SLUICE_TOKEN: what every visitor must present; SLUICE_HOSTS: names by which others reach it, separated
 *   by commas
 * @throws {SluiceError} CONFIG_INVALID if it cannot listen there
 */
export async function openDashboard({ host, port }: DashboardAddress, env: Io['env']): Promise<Dashboard> {
  const { SLUICE_TOKEN: token, SLUICE_HOSTS: names = '' } = env
  const options: DashboardOptions = {
    port: port ?? USUAL_PORT,
    ...(host === undefined ? {} : { host }),
    ...(token === undefined || token === '' ? {} : { token }),
    hosts: names.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()])),
  }
  if (port !== undefined) return await startDashboard(options)
  try {
    return await startDashboard(options)
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined
    if ((cause as NodeJS.ErrnoException | undefined)?.code !== 'EADDRINUSE') throw error
    return await startDashboard({ ...options, port: 0 })
  }
}
