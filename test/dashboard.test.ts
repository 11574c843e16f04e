import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { type Dashboard, startDashboard } from '../src/dashboard/dashboard.ts'
import { answerOf, type FakeRun, fakeRun, letterOf } from './support/watched.ts'

const JSON_BODY = { 'content-type': 'application/json' }

async function withDashboard(runs: readonly FakeRun[], look: (url: string, dashboard: Dashboard) => Promise<void>) {
  const dashboard = await startDashboard()
  for (const run of runs) dashboard.watch(run)
  try {
    await look(dashboard.url, dashboard)
  } finally {
    await dashboard.close()
  }
}

async function changeToken(url: string): Promise<string> {
  return JSON.parse((await answerOf(`${url}/api/session`)).body).changeToken
}

/** The data of the first events of a kind. */
async function* eventsOf(url: string, kind: string): AsyncGenerator<string> {
  const response = await fetch(`${url}/api/events`)
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString('utf8')
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [, name, data = ''] = /^event: (\w+)\ndata: (.*)$/s.exec(text.slice(0, end)) ?? []
      text = text.slice(end + 2)
      if (name === kind) yield data
    }
  }
}

describe('the dashboard', () => {
  it('gives the page and its parts, packed for who takes it so', async () => {
    await withDashboard([], async (url) => {
      const page = await answerOf(url)
      equal(page.headers['content-type'], 'text/html; charset=utf-8')
      match(page.body, /<script type="module" src="page.js">/)
      const packed = await answerOf(`${url}/page.js`, { headers: { 'accept-encoding': 'gzip' } })
      deepEqual([packed.status, packed.headers['content-encoding']], [200, 'gzip'])
    })
  })

  it('gives the runs as they are', async () => {
    await withDashboard([fakeRun({ epoch: 12 }), fakeRun({ pipeline: 'users' })], async (url) => {
      const { body } = await answerOf(`${url}/api/snapshot`)
      const { runs } = JSON.parse(body)
      deepEqual(
        runs.map(({ pipeline, epoch }: { pipeline: string; epoch: number }) => [pipeline, epoch]),
        [
          ['orders', 12],
          ['users', 7],
        ],
      )
    })
  })

  it('shows a new run of a pipeline in place of the last one', async () => {
    await withDashboard([fakeRun({ epoch: 1 })], async (url, dashboard) => {
      dashboard.watch(fakeRun({ epoch: 2 }))
      const { runs } = JSON.parse((await answerOf(`${url}/api/snapshot`)).body)
      deepEqual([runs.length, runs[0].epoch], [1, 2])
    })
  })

  it('tells of runs at once and then every second', async () => {
    const run = fakeRun()
    await withDashboard([run], async (url) => {
      const epochs: number[] = []
      for await (const data of eventsOf(url, 'snapshot')) {
        epochs.push(JSON.parse(data).runs[0].epoch)
        run.is = { epoch: 8 }
        if (epochs.length === 2) break
      }
      deepEqual(epochs, [7, 8])
    })
  })

  it('makes one snapshot for all who follow, and none where nobody does', async () => {
    const run = fakeRun()
    await withDashboard([run], async (url) => {
      const both = [eventsOf(url, 'snapshot'), eventsOf(url, 'snapshot')]
      await Promise.all(both.map((events) => events.next()))
      equal(run.snapshots, 1)
      await Promise.all(both.map((events) => events.return(undefined)))
    })
    const alone = fakeRun()
    await withDashboard([alone], async () => {
      // Long enough for one to be made: on another dashboard there are two meanwhile.
      await withDashboard([run], async (url) => {
        const events = eventsOf(url, 'snapshot')
        for (let count = 0; count < 2; count += 1) await events.next()
        await events.return(undefined)
      })
    })
    equal(alone.snapshots, 0)
  })

  it('tells who follows how it ended, and that it has', async () => {
    const run = fakeRun()
    const dashboard = await startDashboard()
    dashboard.watch(run)
    const kinds: string[] = []
    const following = (async () => {
      const response = await fetch(`${dashboard.url}/api/events`)
      let text = ''
      for await (const chunk of response.body ?? []) {
        text += Buffer.from(chunk).toString('utf8')
        if (kinds.push('') === 1) {
          run.is = { state: 'finished' }
          void dashboard.close()
        }
      }
      return text
    })()
    const text = await following
    match(text, /event: snapshot\ndata: .*"state":"finished".*\n\nevent: end\ndata: \{\}\n\n$/)
  })

  it('pauses, resumes and drains the run that is named', async () => {
    const [orders, users] = [fakeRun(), fakeRun({ pipeline: 'users' })]
    await withDashboard([orders, users], async (url) => {
      const headers = { ...JSON_BODY, 'x-sluice-token': await changeToken(url) }
      const post = async (what: string): Promise<number> =>
        (await answerOf(`${url}/api/${what}`, { method: 'POST', headers, body: '{"pipeline":"users"}' })).status
      equal(await post('pause'), 200)
      users.is = { ...users.is, state: 'paused' }
      equal(await post('resume'), 200)
      equal(await post('drain'), 200)
      deepEqual(users.asked, ['pause', 'resume', 'drain: requested on the dashboard'])
      deepEqual(orders.asked, [])
    })
  })

  it('says why a run cannot be changed', async () => {
    await withDashboard([fakeRun({ state: 'draining' })], async (url) => {
      const headers = { ...JSON_BODY, 'x-sluice-token': await changeToken(url) }
      const asked = { method: 'POST', headers, body: '{"pipeline":"orders"}' }
      const { status, body } = await answerOf(`${url}/api/pause`, asked)
      deepEqual([status, body], [409, '{"error":"Cannot pause orders: it is draining"}\n'])
      equal((await answerOf(`${url}/api/pause`, { ...asked, body: '{"pipeline":"none"}' })).status, 404)
      equal((await answerOf(`${url}/api/pause`, { ...asked, body: '["orders"]' })).status, 400)
    })
  })

  it('gives dead letters by the page', async () => {
    const letters = Array.from({ length: 120 }, (_, at) => letterOf(at))
    await withDashboard([fakeRun({}, letters)], async (url) => {
      const counts: number[] = []
      let next: string | undefined = ''
      while (next !== undefined) {
        const after: string = next === '' ? '' : `&after=${next}`
        const found: { letters: { raw: string }[]; next?: string } = JSON.parse(
          (await answerOf(`${url}/api/dead-letters?pipeline=orders${after}`)).body,
        )
        if (counts.length === 1) equal(found.letters[0]?.raw, 'raw 50')
        counts.push(found.letters.length)
        next = found.next
      }
      deepEqual(counts, [50, 50, 20])
    })
  })

  it('takes no place of a letter but its own', async () => {
    await withDashboard([fakeRun()], async (url) => {
      for (const after of ['x', 'bnVsbA', '%00', Buffer.from('["a",{},1,0]').toString('base64url')]) {
        const { status } = await answerOf(`${url}/api/dead-letters?after=${after}`)
        equal(status, 400, after)
      }
    })
  })

  it('cuts letters that are long, and takes credentials out', async () => {
    const origin = { ...letterOf(0).origin, raw: `postgres://ann:secret@db/x ${'y'.repeat(10_000)}` }
    await withDashboard([fakeRun({}, [letterOf(0, { origin })])], async (url) => {
      const { body } = await answerOf(`${url}/api/dead-letters`)
      const [{ raw }] = JSON.parse(body).letters
      match(raw, /^postgres:\/\/\*\*\*@db\/x y+…$/)
      ok(raw.length <= 4001)
    })
  })

  it('says where sinks stand, and of one that cannot be looked into why', async () => {
    const closed = { ...fakeRun({ pipeline: 'users' }), inspect: () => Promise.reject(new Error('it is gone')) }
    await withDashboard([fakeRun(), closed], async (url) => {
      deepEqual(JSON.parse((await answerOf(`${url}/api/checkpoints`)).body), {
        checkpoints: [
          { pipeline: 'orders', epoch: 0 },
          { pipeline: 'users', error: 'it is gone' },
        ],
      })
    })
  })

  it('says where the branches of a sink stand, and of one that cannot be looked into why', async () => {
    const branched = fakeRun()
    const run = {
      ...branched,
      branches: () => ['copies', 'lost'],
      inspect: async (branch: string | undefined) => {
        if (branch === 'lost') throw new Error('it is gone')
        return await branched.inspect(branch)
      },
    }
    await withDashboard([run], async (url) => {
      deepEqual(JSON.parse((await answerOf(`${url}/api/checkpoints`)).body), {
        checkpoints: [
          {
            pipeline: 'orders',
            epoch: 0,
            branches: [
              { branch: 'copies', epoch: 0 },
              { branch: 'lost', error: 'it is gone' },
            ],
            allBranches: 2,
          },
        ],
      })
    })
  })

  it('gives metrics', async () => {
    await withDashboard([fakeRun()], async (url) => {
      const { headers, body } = await answerOf(`${url}/metrics`)
      equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
      match(body, /^sluice_records_read_total\{pipeline="orders"\} 100$/m)
    })
  })

  const readiness = { running: 200, paused: 200, finished: 200, draining: 200, drained: 200, waiting: 503, failed: 503 }
  for (const [state, status] of Object.entries(readiness)) {
    it(`is ${status === 200 ? '' : 'not '}ready with a run that is ${state}, and alive`, async () => {
      await withDashboard([fakeRun({ state: state as keyof typeof readiness })], async (url) => {
        equal((await answerOf(`${url}/readyz`)).status, status)
        equal((await answerOf(`${url}/healthz`)).status, 200)
      })
    })
  }

  it('says that its port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    await rejects(startDashboard({ port }), {
      code: 'CONFIG_INVALID',
      message: `Cannot show the dashboard on 127.0.0.1, port ${port}: the port is in use`,
    })
    other.close()
  })
})
