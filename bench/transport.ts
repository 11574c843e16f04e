// How fast do batches of events cross from one worker to another: cloned, and packed as columns?
// node --conditions=sluice-source bench/transport.ts [--quick]

import {
  isMainThread,
  MessageChannel,
  type MessagePort,
  parentPort,
  type TransferListItem,
  Worker,
  workerData,
} from 'node:worker_threads'
import { type Packed, Packer, transferablesOf, Unpacker } from '../src/engine/codec/codec.ts'

const BATCH = 1000
/** Batches on their way at most. */
const CREDITS = 8
/** Different batches that are sent in turns. */
const DIFFERENT = 32
const METHODS = ['GET', 'POST', 'PUT', 'DELETE']

/** The events of each question, by number. */
const EVENTS: Readonly<Record<string, (n: number) => unknown>> = {
  '7 fields': (n) => ({
    id: n,
    ts: 1_700_000_000_000 + ((n * 7919) % 1_000_000_007),
    user: `user-${(n * 7919) % 1_000_003}`,
    method: METHODS[n % 4],
    path: `/api/v1/resource/${(n * 31) % 50}`,
    status: 200 + (n % 5) * 100,
    bytes: (n * 7919) % 100_003,
  }),
  'key, state': (n) => [`user-${(n * 7919) % 1_000_003}`, [n % 97, n / 8, -n]],
  nested: (n) => ({ id: n, user: { name: `user-${n}`, isAdmin: n % 9 === 0 }, tags: ['a', 'b', 'c'].slice(n % 3) }),
  'Dates, nulls': (n) => ({ id: n, at: new Date(n), till: n % 3 === 0 ? null : new Date(n + 5), ok: n % 2 === 0 }),
  lines: (n) => `10.0.0.1 - user-${(n * 7919) % 1_000_003} [1700000000] "GET /api/v1/resource/${n % 50}" 200 ${n}`,
  numbers: (n) => n / 8,
  mixed: (n) => (n % 10 === 9 ? { id: n } : { id: n, user: `user-${n}`, status: 200 }),
}

interface Task {
  readonly way: 'cloned' | 'packed'
  readonly events: string
  readonly batches: number
  readonly batch: number
  readonly role: 'sender' | 'receiver'
  readonly port: MessagePort
}

if (isMainThread) await main(process.argv.includes('--quick'))
else work(workerData)

async function main(isQuick: boolean): Promise<void> {
  for (const batch of isQuick ? [BATCH] : [BATCH, 100, 20]) {
    const rows = []
    for (const events of Object.keys(EVENTS)) {
      const batches = Math.round((isQuick ? 100_000 : 300_000) / batch)
      const cloned = await measure('cloned', events, batches, batch)
      const packed = await measure('packed', events, batches, batch)
      rows.push({
        events,
        'cloned/s': cloned.perSecond.toLocaleString('en'),
        'packed/s': packed.perSecond.toLocaleString('en'),
        'cloned ns': cloned.cpuNs,
        'packed ns': packed.cpuNs,
        ratio: (cloned.cpuNs / packed.cpuNs).toFixed(1),
      })
    }
    console.log(`\nWorker to worker, batches of ${batch}; ns: CPU of both threads for one event`)
    console.table(rows)
  }
}

/** Two workers and a port between them: one round to warm up, three that count, of which the median is given. */
async function measure(way: Task['way'], events: string, batches: number, batch: number) {
  const { port1, port2 } = new MessageChannel()
  const start = (role: Task['role'], port: MessagePort) =>
    new Worker(new URL(import.meta.url), {
      workerData: { way, events, batches, batch, role, port },
      transferList: [port],
    })
  const workers = [start('sender', port1), start('receiver', port2)]
  await Promise.all(workers.map(next))
  const rounds: { perSecond: number; cpuNs: number }[] = []
  for (let round = 0; round < 4; round += 1) {
    const startMs = performance.now()
    const answers = workers.map(next)
    for (const worker of workers) worker.postMessage('go')
    const cpuUs = (await Promise.all(answers)).reduce((sum, us) => sum + us, 0)
    const seconds = (performance.now() - startMs) / 1000
    const amount = batches * batch
    if (round > 0) {
      rounds.push({ perSecond: Math.round(amount / seconds), cpuNs: Math.round((cpuUs * 1000) / amount) })
    }
  }
  await Promise.all(workers.map((worker) => worker.terminate()))
  rounds.sort((a, b) => a.cpuNs - b.cpuNs)
  return rounds[1] ?? { perSecond: Number.NaN, cpuNs: Number.NaN }
}

function next(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

/** A worker's part: each round begins with a word from the main thread, and ends with the CPU time it took. */
function work(task: Task): void {
  const isSender = task.role === 'sender'
  const made = isSender ? makeBatches(task) : []
  const packer = new Packer()
  const unpacker = new Unpacker()
  let done = 0
  let sent = 0
  let startUs = threadUs()
  const send = () => {
    for (; sent < task.batches && sent - done < CREDITS; sent += 1) post(task, packer, made[sent % DIFFERENT] ?? [])
  }
  task.port.on('message', (message) => {
    if (!isSender) {
      const batch = task.way === 'packed' ? unpacker.unpack(message as Packed) : message
      if (batch.length !== task.batch) throw new Error(`A batch of ${batch.length} came`)
      task.port.postMessage(0)
    }
    done += 1
    if (done === task.batches) end()
    else if (isSender) send()
  })
  // The next round's first batch may come before the word that begins it: all is made ready at the end of the last.
  const end = () => {
    const nowUs = threadUs()
    parentPort?.postMessage(nowUs - startUs)
    startUs = nowUs
    done = 0
    sent = 0
  }
  parentPort?.on('message', () => {
    if (isSender) send()
  })
  parentPort?.postMessage(0)
}

function post({ way, port }: Task, packer: Packer, batch: readonly unknown[]): void {
  if (way === 'cloned') return port.postMessage(batch)
  const packed = packer.pack(batch)
  port.postMessage(packed, transferablesOf(packed) as TransferListItem[])
}

function makeBatches({ events, batch }: Task): unknown[][] {
  const make = EVENTS[events]
  const batches: unknown[][] = []
  for (let b = 0; b < DIFFERENT; b += 1) {
    const made: unknown[] = []
    for (let i = 0; i < batch; i += 1) made.push(make?.(b * batch + i))
    batches.push(made)
  }
  return batches
}

function threadUs(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}
