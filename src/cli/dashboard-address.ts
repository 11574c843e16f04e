// Where the command line wants the dashboard, and who may see it.

import { SluiceError } from '../base/errors.ts'
import { type Dashboard, type DashboardOptions, startDashboard } from '../dashboard/dashboard.ts'
import type { Io } from './io.ts'

/** `[HOST:]PORT`; all undefined where nothing was said. */
export interface DashboardAddress {
  readonly host: string | undefined
  readonly port: number | undefined
}

/** Where it is if nothing is said, and nobody else is there. */
const USUAL_PORT = 4000

/** `[HOST:]PORT` */
const ADDRESS = /^(?:(?:\[([0-9a-f:.]+)\]|([\w.-]+)):)?(\d{1,5})$/i

/** A `--dashboard` takes the word behind it only where that is an address: else it stands for itself. */
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

/** @throws {SluiceError} COMMAND_INVALID if `text` is no `[HOST:]PORT` */
export function readDashboardAddress(text: string): DashboardAddress {
  if (text === '') return { host: undefined, port: undefined }
  const [, sixth, named, digits] = ADDRESS.exec(text) ?? []
  const port = Number(digits)
  if (digits !== undefined && port <= 65_535) return { host: sixth ?? named, port }
  const message = `--dashboard must be a port, or an address and a port, such as 4000 or 0.0.0.0:4000: found ${text}`
  throw new SluiceError('COMMAND_INVALID', message, { argument: text })
}

/**
 * Opens the dashboard where the command line wants it; at a free port where nothing was said and the usual one is taken.
 *
 * @param env - SLUICE_TOKEN: what everybody has to give; SLUICE_HOSTS: names that others reach it
 *   by, with commas in between
 * @throws {SluiceError} CONFIG_INVALID if it cannot be there
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
