// Makes a web server's log that looks like one: a few days of traffic, with bots, errors and a little dirt.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'

/** A small seeded source of random numbers, 0 to 1: the same log for the same seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000
  }
}

const PAGES = ['/', '/products', '/cart', '/search', '/login', '/about', '/help', '/api/v1/prices', '/api/v1/stock']
const ASSETS = ['/static/app.js', '/static/app.css', '/favicon.ico', '/static/logo.svg', '/static/hero.webp']
const PROBES = ['/wp-login.php', '/.env', '/.git/config', '/phpmyadmin/', '/xmlrpc.php', '/admin.php']
const GOODS = ['lamp', 'chair', 'kettle', 'tent', 'boots', 'clock', 'teapot', 'bicycle']
const BROWSERS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/141.0.0.0 Mobile Safari/537.36',
]
const BOTS = [
  'Examplebot/2.1 (+https://bot.example.com/)',
  'curl/8.14.1',
  'python-requests/2.32.4',
  'Go-http-client/2.0',
]
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const HOUR_MS = 3_600_000
/** When the first day begins: 2026-03-02, a Monday, UTC. */
const START_MS = Date.UTC(2026, 2, 2)
/** Requests in each hour of a day, as shares of the busiest. */
const DAY = [3, 2, 2, 1, 1, 2, 4, 7, 9, 10, 10, 10, 9, 10, 10, 9, 9, 8, 9, 10, 9, 8, 6, 4]

export interface LogOptions {
  readonly lines: number
  readonly seed: number
}

/** The lines of one log, in the order in which a server would have written them. */
export function* logLines({ lines, seed }: LogOptions): Generator<string> {
  const random = seeded(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const hosts = Array.from({ length: 3000 }, () => {
    return `${1 + Math.floor(random() * 222)}.${[0, 0, 0].map(() => Math.floor(random() * 256)).join('.')}`
  })
  const busy = DAY.reduce((sum, share) => sum + share, 0)
  const perShare = lines / busy / 3
  let atMs = START_MS
  for (let made = 0; made < lines; made += 1) {
    const share = DAY[Math.floor((atMs - START_MS) / HOUR_MS) % 24] ?? 1
    atMs += (-Math.log(1 - random()) * HOUR_MS) / (share * perShare)
    const dirt = random()
    if (dirt < 0.00005) yield ''
    else if (dirt < 0.0001) yield `${pick(hosts)} - - [${stamp(atMs)}] "\\x16\\x03\\x01\\x02\\x00\\x01" 400 226 "-" "-"`
    else {
      const line = lineOf(atMs, hosts[Math.floor(random() ** 3 * hosts.length)] ?? '127.0.0.1', random, pick)
      yield dirt < 0.0002 ? line.slice(0, Math.floor(random() * line.length)) : line
    }
  }
}

function lineOf(atMs: number, host: string, random: () => number, pick: <T>(list: readonly T[]) => T): string {
  const kind = random()
  const isBot = kind < 0.12
  const isProbe = kind < 0.01
  const isAsset = !isBot && kind < 0.55
  let path = isProbe ? pick(PROBES) : isAsset ? pick(ASSETS) : pick(PAGES)
  if (path === '/products' && random() < 0.8) path += `/${pick(GOODS)}-${1 + Math.floor(random() ** 2 * 400)}`
  if (path === '/search') path += `?q=${pick(GOODS)}&page=${1 + Math.floor(random() * 4)}`
  const method = path === '/cart' || path === '/login' ? pick(['GET', 'POST']) : 'GET'
  const luck = random()
  const status = isProbe
    ? 404
    : luck < 0.002
      ? 500
      : luck < 0.02
        ? 404
        : luck < 0.05
          ? 301
          : isAsset && luck < 0.3
            ? 304
            : 200
  const bytes =
    status === 304 ? '-' : status === 200 ? Math.floor(400 + random() ** 3 * 60_000) : 150 + Math.floor(random() * 400)
  const user = path.startsWith('/cart') && random() < 0.3 ? pick(['ann', 'bob', 'eve', 'zoë']) : '-'
  const referer = isBot || random() < 0.4 ? '-' : `https://shop.example/${pick(['', 'products', 'search'])}`
  const agent = isBot ? pick(BOTS) : pick(BROWSERS)
  return `${host} - ${user} [${stamp(atMs)}] "${method} ${path} HTTP/1.1" ${status} ${bytes} "${referer}" "${agent}"`
}

function stamp(atMs: number): string {
  const at = new Date(atMs)
  const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`)
  const date = `${two(at.getUTCDate())}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}`
  return `${date}:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`
}

/** Writes the log into `folder` as a server's rotation leaves it: the oldest part zstd, then gzip, then plain. */
export function writeRotatedLogs(folder: string, options: LogOptions): string[] {
  mkdirSync(folder, { recursive: true })
  const all = [...logLines(options)]
  const third = Math.ceil(all.length / 3)
  const part = (index: number): Buffer => Buffer.from(`${all.slice(index * third, (index + 1) * third).join('\n')}\n`)
  const written: [string, Buffer][] = [
    ['access.log.2.zst', zstdCompressSync(part(0))],
    ['access.log.1.gz', gzipSync(part(1), { level: 6 })],
    ['access.log', part(2)],
  ]
  return written.map(([name, content]) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  })
}
