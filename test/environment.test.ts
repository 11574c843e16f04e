// Parameters from environment variables, and from files of them.

import { deepEqual, equal, match, notEqual, ok, throws } from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { httpSink, json } from 'sluice'
import { kafkaSource } from 'sluice/kafka'
import { mqttSource } from 'sluice/mqtt'
import { postgresSink } from 'sluice/postgres'
import { useEnvFiles } from '../src/cli/env-files.ts'
import { sluice } from './support/cli.ts'
import { Job } from './support/job.ts'

const CODE = `
import { z } from ${JSON.stringify(import.meta.resolve('zod'))}
export const atImport = process.env.TABLE ?? 'missing'
export default pipeline('job', {
  params: {
    out: param(z.string().min(1), { env: 'OUT', about: 'the database' }),
    password: param(z.string(), { env: 'DOOR_PASSWORD' }),
  },
  from: ndjsonSource(import.meta.dirname + '/in.ndjson'),
  flow: (rows) => rows.map(({ n }) => ({ n, length: (process.env.DOOR_PASSWORD ?? '').length })),
  into: ({ out }) => sqliteSink(import.meta.dirname + '/' + out, { table: atImport }),
})`

function job(env?: string): Job {
  const made = new Job('ndjsonSource, param, pipeline, sqliteSink', CODE)
  made.write('in.ndjson', '{"n":1}\n')
  if (env !== undefined) made.write('.env', env)
  return made
}

describe('the environment of a command', () => {
  it('U42: comes from .env, before the module is loaded, in one thread and on several', async () => {
    for (const more of [[], ['--threads', '2']]) {
      using made = job('OUT=a.db\nTABLE=rows # of the warehouse\nDOOR_PASSWORD="hunter2"\n')
      const { code, stdout, stderr } = await made.call('run', more)
      equal(code, 0, stderr)
      deepEqual(made.query('a.db', 'select n, length from rows'), [{ n: 1, length: 7 }])
      ok(!`${stdout}${stderr}`.includes('hunter2'))
    }
  })

  it('U42: comes from named files, and first of all from the environment', async () => {
    using made = job('OUT=not-read.db\n')
    made.write('one.env', 'OUT=one.db\nTABLE=one\nDOOR_PASSWORD=x\n')
    made.write('two.env', 'OUT=two.db\nTABLE=two\n')
    const words = ['--env-file', 'one.env', '--env-file', 'two.env']
    const { code, stderr } = await made.call('run', words, { env: { TABLE: 'own' } })
    equal(code, 0, stderr)
    deepEqual(made.query('two.db', 'select n from own'), [{ n: 1 }])
    const missing = await made.call('run', ['--env-file', 'three.env'])
    // Node itself looks for this option among all words, and says so first.
    notEqual(missing.code, 0)
    match(missing.stderr, /three\.env/)
  })

  it('U41, U42: is what every command names that misses something', async () => {
    using made = job('OUT=\n')
    for (const command of ['run', 'check', 'explain', 'graph', 'preview', 'checkpoints', 'dead-letters', 'top']) {
      const { code, stderr } = await made.call(command)
      equal(code, 78, stderr)
      match(stderr, /it needs a value for 2 parameters out \(OUT is empty\), password \(DOOR_PASSWORD or --param\)/)
    }
    const { stdout } = await made.call('run', ['--help'])
    match(stdout, /out, required +the database \(environment variable OUT\)\n +password, required/)
  })

  it('U42: is that of all pipelines that are served; one that misses something fails alone', async () => {
    using made = job('OUT=served.db\nTABLE=rows\n')
    made.write(
      'other.ts',
      `${importsOf()}export default pipeline('other', {
      params: { table: param.string(process.env.TABLE ?? 'missing') },
      from: ndjsonSource(import.meta.dirname + '/in.ndjson'),
      into: ({ table }) => sqliteSink(import.meta.dirname + '/other.db', { table }),
    })\n`,
    )
    const { stderr } = await sluice(['serve', made.folder, '--dashboard=0'], {
      cwd: made.folder,
      onStart: (child) => {
        let said = ''
        child.stderr?.on('data', (text: string) => {
          said += text
          if (/job failed/.test(said) && /other finished/.test(said)) child.kill('SIGTERM')
        })
      },
    })
    match(stderr, /job failed, and is not restarted: .*password \(DOOR_PASSWORD/)
    deepEqual(made.query('other.db', 'select n from rows'), [{ n: 1 }])
  })

  it('U42: takes a folder, or a name that every object has, for what it is', () => {
    using made = job()
    const env: Record<string, string | undefined> = { A: '', B: 'own' }
    useEnvFiles([made.write('x.env', 'A=1\nB=2\nC=3\n__proto__=4\n')], env)
    deepEqual([env.A, env.B, env.C, Object.getPrototypeOf(env)], ['', 'own', '3', Object.prototype])
    mkdirSync(made.path('folder'))
    throws(() => useEnvFiles([made.path('none.env')], env), { code: 'CONFIG_INVALID' })
    throws(() => useEnvFiles([made.path('folder')], env), /Cannot read the environment variables of .*folder: EISDIR/)
  })
})

function importsOf(): string {
  return `import { ndjsonSource, param, pipeline, sqliteSink } from ${JSON.stringify(import.meta.resolve('sluice'))}\n`
}

describe('an address that is not there', () => {
  const parts: Readonly<Record<string, (address: string) => unknown>> = {
    postgres: (address) => postgresSink(address, { table: 't' }),
    http: (address) => httpSink(address),
    kafka: (address) => kafkaSource(address, json(), { topic: 't' }),
    mqtt: (address) => mqttSource(address, json(), { topics: ['t'], clientId: 'c' }),
  }
  for (const [name, part] of Object.entries(parts)) {
    it(`U41: is said to be empty, or not set: ${name}`, () => {
      throws(() => part(''), /found an empty text: is an environment variable empty\?$/)
      throws(() => part(undefined as never), /found nothing: is an environment variable not set\?$/)
    })
  }
})
