// node scripts/install-engine.ts [prism|model|flink …]: installs what the tests of engines run on, into .engine/.
//
// Prism is Beam's runner for tests, one program of Go's; `model` are the files that describe Beam's protocols; Flink's
// job server comes with all of its jars.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PRISM = 'github.com/apache/beam/sdks/v2/go/cmd/prism@v2.75.0'
const MODELS = ['beam-model-pipeline', 'beam-model-fn-execution', 'beam-model-job-management']
const MODEL_VERSION = '2.73.0'
const FLINK = 'beam-runners-flink-1.19'
const FLINK_VERSION = '2.62.0'
const MAVEN_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1'

const folder = fileURLToPath(new URL('../.engine', import.meta.url))
const parts: Readonly<Record<string, () => void>> = { prism, model, flink }

const asked = process.argv.slice(2)
for (const part of asked.length === 0 ? Object.keys(parts) : asked) {
  const install = parts[part]
  if (install === undefined) throw new TypeError(`Cannot install ${part}: there are ${Object.keys(parts).join(', ')}`)
  install()
}

function prism(): void {
  const bin = join(folder, 'bin')
  if (existsSync(join(bin, 'prism'))) return
  mkdirSync(bin, { recursive: true })
  run('go', ['install', PRISM], { GOBIN: bin })
}

function model(): void {
  const into = join(folder, 'model')
  if (existsSync(into)) return
  for (const name of MODELS) {
    const artifact = `-Dartifact=org.apache.beam:${name}:${MODEL_VERSION}`
    const includes = '-Dmdep.unpack.includes=**/*.proto,**/*.yaml'
    run('mvn', ['-q', '-B', `${MAVEN_PLUGIN}:unpack`, artifact, `-DoutputDirectory=${into}`, includes])
  }
}

function flink(): void {
  const into = join(folder, 'flink')
  if (existsSync(join(into, 'lib'))) return
  mkdirSync(into, { recursive: true })
  const pom = join(into, 'pom.xml')
  const dependency = `<groupId>org.apache.beam</groupId><artifactId>${FLINK}</artifactId><version>${FLINK_VERSION}</version>`
  writeFileSync(
    pom,
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>sluice</groupId><artifactId>engine</artifactId><version>1</version>
<dependencies><dependency>${dependency}</dependency></dependencies></project>\n`,
  )
  const lib = `-DoutputDirectory=${join(into, 'lib')}`
  try {
    run('mvn', ['-q', '-B', '-f', pom, `${MAVEN_PLUGIN}:copy-dependencies`, '-DincludeScope=runtime', lib])
  } catch (error) {
    rmSync(join(into, 'lib'), { recursive: true, force: true })
    throw error
  }
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  process.stdout.write(`${command} ${args.join(' ')}\n`)
  execFileSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } })
}
