import { deepEqual, match, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ROOT } from './support/project.ts'

/** Source → what its senders are promised, and the file of the test that holds it. */
function promises(): Map<string, { readonly promise: string; readonly file: string }> {
  const page = readFileSync(join(ROOT, 'docs', 'specs', 'checkpoint.md'), 'utf8')
  const part = page.slice(page.indexOf('## What senders are promised'), page.indexOf('## Guarantees'))
  const rows = part.matchAll(/^\| `(\w+)`[^|]* \| ([^|]+) \| `(test\/[\w-]+\.test\.ts)` \|$/gm)
  return new Map([...rows].map(([, source = '', promise = '', file = '']) => [source, { promise, file }]))
}

describe('what senders are promised', () => {
  const all = promises()

  it('is said of every live source', () => {
    const suite = readFileSync(join(ROOT, 'test', 'live-conformance.test.ts'), 'utf8')
    deepEqual([...all.keys()].sort(), [
      'kafkaSource',
      'mqttSource',
      'natsSource',
      'rabbitmqSource',
      'redisStreamSource',
      'sseSource',
      'syslogSource',
      'webSocketSource',
      'webhookSource',
    ])
    for (const source of all.keys()) ok(suite.includes(`${source}(`), `${source} is in no suite`)
  })

  it('is held by a test that kills, where it is more than once at most', () => {
    for (const [source, { promise, file }] of all) {
      const titles = readFileSync(join(ROOT, file), 'utf8')
      if (promise.startsWith('exactly once')) match(titles, /it\(['`]F1: is loaded exactly once/, source)
      else ok(promise === 'at most once' && !/exactly once/.test(titles), source)
    }
  })
})
