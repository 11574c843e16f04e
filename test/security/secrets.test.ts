import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { Job, type Told } from '../support/job.ts'
import { missingPostgres, PostgresServer, WALLED_ROLE } from '../support/postgres.ts'
import { untilCommitted } from '../support/progress.ts'

/** Each as it is typed and as it comes out of a URL. */
const SECRETS = [
  'hunter2%40x',
  'hunter2@x',
  'tok-5ecr3t',
  'h3ader-5ecr3t',
  Buffer.from('ann:hunter2@x').toString('base64'),
]

const COMMANDS: readonly (readonly [command: string, words: readonly string[]])[] = [
  ['explain', []],
  ['graph', []],
  ['check', []],
  ['check', ['--json']],
  ['run', []],
  ['run', ['--json']],
  ['run', ['--log', 'json']],
  ['run', ['--json', '--log', 'json', '--strict']],
  ['checkpoints', []],
  ['checkpoints', ['show', '--json']],
  ['dead-letters', []],
  ['dead-letters', ['show', '--json']],
  ['dead-letters', ['replay']],
]

function hasNone({ stdout, stderr }: Told, what: string): void {
  for (const secret of SECRETS) {
    for (const text of [stdout, stderr]) ok(!text.includes(secret), `${what} shows ${secret}:\n${text}`)
  }
}

async function allCommands(job: Job, params: readonly string[]): Promise<Map<string, Told>> {
  const told = new Map<string, Told>()
  for (const [command, words] of COMMANDS) {
    const name = [command, ...words].join(' ')
    told.set(name, await job.here(command, [...words, ...params.flatMap((one) => ['--param', one])]))
    hasNone(told.get(name) as Told, name)
  }
  return told
}

describe('Secrets of a database', { skip: missingPostgres() }, () => {
  let server: PostgresServer
  before(async () => {
    server = await PostgresServer.start()
  })
  after(() => server.stop())
  const CODE = `
export default pipeline('walled', {
  params: { db: param.string('postgres://ann:hunter2%40x@127.0.0.1:1/x', 'where to') },
  from: () => ndjsonSource(import.meta.dirname + '/in.ndjson'),
  into: ({ db }) => postgresSink(db, { table: 't', columns: { n: 'integer' } }),
})
`

  it('S14: are in no output of any command, where the password is wrong', async () => {
    using job = new Job('ndjsonSource, param, pipeline, postgresSink', CODE)
    job.write('in.ndjson', '{"n":1}\nbad\n')
    const url = `postgres://${WALLED_ROLE}:hunter2%40x@127.0.0.1:${server.port}/postgres`
    const told = await allCommands(job, [`db=${url}`])
    equal(told.get('run')?.code, 78)
    match(told.get('run')?.stderr ?? '', /password authentication failed/)
  })

  it('S14: are in no output of any command, where all goes well', async () => {
    using job = new Job('ndjsonSource, param, pipeline, postgresSink', CODE)
    job.write('in.ndjson', '{"n":1}\nbad\n')
    const url = `postgres://postgres:hunter2%40x@127.0.0.1:${server.port}/postgres`
    const told = await allCommands(job, [`db=${url}`])
    deepEqual([told.get('run')?.code, told.get('explain')?.code], [0, 0])
  })

  it('S14: are in no help and no refusal of what was typed', async () => {
    using job = new Job('ndjsonSource, param, pipeline, postgresSink', CODE)
    const url = 'postgres://ann:hunter2@x@127.0.0.1/x'
    const calls = [['--help'], ['--param', `b=${url}`], ['--param', url], [url], ['--param', `db=${url}`]]
    for (const words of calls) hasNone(await job.here('run', words), words.join(' '))
  })
})

describe('Secrets among parameters', () => {
  it('S28: are in no output of any command, where they do not fit their type, or are misspelt', async () => {
    using job = new Job(
      'ndjsonSource, param, pipeline, sqliteSink',
      `
export default pipeline('walled', {
  params: { password: param.number(1), pin: { ...param.number(2), isSecret: true }, key: param.secret('tok-5ecr3t', 'the key') },
  from: () => ndjsonSource(import.meta.dirname + '/in.ndjson'),
  into: () => sqliteSink(import.meta.dirname + '/out.db', { table: 't' }),
})
`,
    )
    job.write('in.ndjson', '{"n":1}\n')
    for (const name of ['password', 'pin', 'pasword', 'pni', '']) {
      const told = await allCommands(job, [`${name}=hunter2@x`])
      equal(told.get('run')?.code, name === '' ? 64 : 78, name)
    }
    const help = await job.here('run', ['--help'])
    hasNone(help, '--help')
    match(help.stdout, /key=\*\*\* +the key/)
    equal((await job.here('run', ['--param', 'key=hunter2@x'])).code, 0)
  })
})

describe('Secrets of a server', () => {
  it('S14: are in no output of any command, in address, header or answer, whatever the server says', async () => {
    // It gives back all that it was sent, as servers do in their errors.
    let status = 200
    const server = createServer((request, response) => {
      const body = JSON.stringify(status === 200 ? [{ n: 1 }, 'bad'] : { url: request.url, headers: request.headers })
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const { port } = server.address() as AddressInfo
      using job = new Job(
        'checkpointed, httpSink, httpSource, param, pipeline',
        `
const headers = { 'x-key': 'h3ader-5ecr3t' }
export default pipeline('remote', {
  params: { url: param.string('http://ann:hunter2%40x@127.0.0.1:${port}/a?token=tok-5ecr3t') },
  from: ({ url }) => httpSource(url, { headers, retryMs: 0 }),
  flow: (rows) => rows.map((row) => { if (row === 'bad') throw new Error('no row'); return row }),
  into: ({ url }) => checkpointed(httpSink(url, { headers, retryMs: 0 }), { store: import.meta.dirname + '/state.db' }),
})
`,
      )
      for (status of [401, 400, 500, 200]) {
        const told = await allCommands(job, [])
        equal(told.get('run')?.code, { 200: 0, 400: 66, 401: 66, 500: 66 }[status], told.get('run')?.stderr)
      }
    } finally {
      server.close()
      server.closeAllConnections()
    }
  })
})

describe('Secrets in what others say', () => {
  const CODE = `
const url = 'mysql://ann:hunter2%40x@h/db'
export default pipeline('driver', {
  params: { api: param.string('') },
  from: () => ndjsonSource(import.meta.dirname + '/in.ndjson'),
  flow: (rows) => rows.map((row) => {
    if (row.n < 2) return row
    throw new Error('no way to ' + url + ' with password=hunter2@x', { cause: new Error('token=tok-5ecr3t') })
  }, { name: 'ask ' + url }),
  into: () => sqliteSink(import.meta.dirname + '/out.db', { table: 't', columns: { n: 'integer' } }),
})
`

  it('S14: are taken out of the errors of drivers, however they come', async () => {
    using job = new Job('ndjsonSource, param, pipeline, sqliteSink', CODE)
    job.write('in.ndjson', '{"n":1}\n{"n":2}\n')
    await allCommands(job, ['api=https://h/x?access_token=tok-5ecr3t'])
    const thrown = new Job(
      'flow',
      `export default flow([1]).map(() => { throw new Error('to amqp://ann:hunter2%40x@h') })`,
    )
    for (const words of [[], ['--log', 'json'], ['--threads', '1']]) hasNone(await thrown.here('run', words), 'flow')
    thrown[Symbol.dispose]()
  })

  it('S14: are not in what a stopped run says to go on with', async () => {
    using job = new Job(
      'param, pipeline, sqliteSink, ticksSource',
      `export default pipeline('endless', {
  params: { db: param.string(''), api: param.string('') },
  from: () => ticksSource(20),
  flow: (all) => all.map(({ count }) => ({ n: count })),
  into: () => sqliteSink(import.meta.dirname + '/out.db', { table: 't', columns: { n: 'integer' } }),
})`,
    )
    const params = ['--param', 'db=postgres://ann:hunter2%40x@h/x', '--param', 'api=https://h/?api_key=tok-5ecr3t']
    const outcome = await job.call('run', params, {
      onStart: (child) => void untilCommitted(job.path('out.db'), child).then(() => child.kill('SIGINT')),
    })
    hasNone(outcome, 'run')
    equal(outcome.code, 130, outcome.stderr)
    match(outcome.stderr, /continue with: .*postgres:\/\/\*\*\*@h\/x.*api_key=\*\*\*/)
  })
})
