// Datagrams that the system dropped before they could be read: Linux counts them per socket.

import { readdir, readFile, readlink } from 'node:fs/promises'
import { messageOf } from '../../../base/errors.ts'

/** Between two checks of the count, in clock milliseconds. */
const LOOK_MS = 10_000
const TABLES = ['/proc/self/net/udp', '/proc/self/net/udp6']
const OWN = '/proc/self/fd'

/**
 * Checks now and then how many datagrams of a socket the system dropped, and notes new ones. They came faster than this
 * process reads them, and its buffer for them is full: nothing else would show that they are missing.
 */
export class SystemDrops {
  readonly #inode: string
  readonly #tell: (note: string) => void
  readonly #looking: NodeJS.Timeout
  /** How many it had dropped at the last note. */
  #told = 0

  private constructor(inode: string, tell: (note: string) => void) {
    this.#inode = inode
    this.#tell = tell
    this.#looking = setInterval(() => void this.look(), LOOK_MS).unref()
  }

  /**
   * @param port - that of a socket of this process. Undefined, with a note, if the system does not tell.
   */
  static async of(port: number, tell: (note: string) => void): Promise<SystemDrops | undefined> {
    try {
      const sockets = await socketsNow()
      const own = await socketsOfThisProcess()
      // The socket that was bound later has the higher inode.
      const found = sockets.filter((one) => one.port === port && own.has(one.inode))
      const inode = found.map((one) => one.inode).sort((a, b) => Number(b) - Number(a))[0]
      if (inode === undefined) throw new Error(`this process has no socket on port ${port}`)
      return new SystemDrops(inode, tell)
    } catch (error) {
      tell(`how many datagrams the system drops is unknown: ${messageOf(error)}`)
      return undefined
    }
  }

  /** Notes datagrams that were dropped since the last check. Never throws. */
  async look(): Promise<void> {
    const found = (await socketsNow().catch(() => [])).find(({ inode }) => inode === this.#inode)
    if (found === undefined || found.drops <= this.#told) return
    this.#told = found.drops
    const many = found.drops.toLocaleString('en-US')
    this.#tell(
      `the system dropped ${many} datagrams: they came faster than they were read (net.core.rmem_max may be raised)`,
    )
  }

  /** Call it before the socket is closed: after that it is no longer counted. */
  async close(): Promise<void> {
    clearInterval(this.#looking)
    await this.look()
  }
}

interface CountedSocket {
  readonly port: number
  readonly inode: string
  readonly drops: number
}

/** The UDP sockets of the system. */
async function socketsNow(): Promise<CountedSocket[]> {
  const tables = await Promise.all(TABLES.map((path) => readFile(path, 'utf8').catch(() => '')))
  if (tables.every((table) => table === '')) throw new Error(`there is no ${TABLES[0]}`)
  return tables.flatMap((table) =>
    table
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => {
        const [, local = '', , , , , , , , inode = '', , , drops] = line.trim().split(/\s+/)
        return { port: Number.parseInt(local.slice(local.indexOf(':') + 1), 16), inode, drops: Number(drops) }
      }),
  )
}

/** The inodes of this process's sockets. */
async function socketsOfThisProcess(): Promise<ReadonlySet<string>> {
  const links = await Promise.all(
    (await readdir(OWN)).map((name) => readlink(`${OWN}/${name}`).catch(() => 'closed meanwhile')),
  )
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
}
