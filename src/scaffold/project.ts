// The files of a new project: a job, its test, and what a project needs around them.

import { jobText, type Piece, plain } from './code.ts'
import { SINKS } from './sinks.ts'
import { SOURCES, type SourceTemplate } from './sources.ts'

export interface ProjectOptions {
  readonly name: string
  /** A name in {@link SOURCES}, and one in {@link SINKS}. */
  readonly source: string
  readonly sink: string
  /** The field that identifies a row; undefined for none. */
  readonly key: string | undefined
  /** The release of Sluice, and of each package: `^0.1.0`. */
  readonly releaseOf: (name: string) => string
}

/** The files of a project, by path. */
export function projectFiles(options: ProjectOptions): ReadonlyMap<string, string> {
  const { name, key } = options
  const source = (SOURCES[options.source] as (key: string) => SourceTemplate)(key ?? 'id')
  const sink = (SINKS[options.sink] as (typeof SINKS)[string])(key === undefined ? {} : { key: [key] })
  const env = { ...source.from.env, ...sink.into.env }
  const packages = [...new Set([...source.packages, ...sink.packages])]
  const files = Object.keys(source.files)
  const reads = source.reads ?? (files.length === 0 ? 'what SOURCE_URL names' : files.join(', '))
  return new Map(
    Object.entries({
      'job.ts': jobOf(name, source, sink.into),
      'job.test.ts': testOf(source),
      'package.json': manifestOf(options, packages),
      'tsconfig.json': TSCONFIG,
      '.env.example': envOf(env),
      '.gitignore': 'node_modules/\n.env\nout/*\n!out/.gitkeep\n',
      '.dockerignore': 'node_modules/\n.env\n.git/\nout/*\n',
      Dockerfile: DOCKERFILE,
      'README.md': readmeOf(name, reads, sink.look, env),
      'out/.gitkeep': '',
      ...source.files,
    }),
  )
}

function jobOf(name: string, { from, rows }: SourceTemplate, into: Piece): string {
  return jobText({ name, about: [], from, flow: plain(`flow: (rows) => ${rows.flow},`), into })
}

function testOf({ rows: { kept, dropped } }: SourceTemplate): string {
  return [
    "import { deepEqual, equal } from 'node:assert/strict'",
    "import { test } from 'node:test'",
    "import { testPipeline } from 'sluice/testing'",
    "import job from './job.ts'",
    '',
    "test('loads what is wanted, and nothing else', async () => {",
    `  const wanted = ${kept}`,
    `  const other = ${dropped}`,
    '  const { rows, totals } = await testPipeline(job, { given: [wanted, other] })',
    '  deepEqual(rows, [wanted])',
    '  equal(totals.filtered, 1)',
    '})\n',
  ].join('\n')
}

function manifestOf({ name, releaseOf }: ProjectOptions, packages: readonly string[]): string {
  const dependencies = Object.fromEntries(['sluice', ...packages].sort().map((one) => [one, releaseOf(one)]))
  const manifest = {
    name,
    private: true,
    type: 'module',
    engines: { node: '>=24' },
    scripts: { start: 'sluice run job.ts', check: 'sluice check job.ts', test: 'node --test', types: 'tsc' },
    dependencies,
    devDependencies: { '@types/node': '^24.0.0', typescript: '^5.9.0' },
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

const TSCONFIG = `{
  "compilerOptions": {
    "target": "es2024",
    "module": "nodenext",
    "types": ["node"],
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "exactOptionalPropertyTypes": true,
    "verbatimModuleSyntax": true,
    "erasableSyntaxOnly": true,
    "allowImportingTsExtensions": true,
    "noEmit": true,
    "skipLibCheck": true
  },
  "include": ["*.ts"]
}
`

const DOCKERFILE = `FROM node:24-slim
WORKDIR /app
COPY package*.json ./
RUN npm install --omit=dev --no-audit --no-fund
COPY . .
RUN mkdir -p out && chown node out
USER node
# What the job writes, and how far it is: mount it, or the next container starts over.
VOLUME /app/out
CMD ["node_modules/.bin/sluice", "run", "job.ts"]
`

function envOf(env: Readonly<Record<string, string>>): string {
  const lines = Object.entries(env).map(([variable, example]) => `${variable}=${example}\n`)
  return `# Copy this to .env, which is not committed.\n${lines.join('')}`
}

function readmeOf(name: string, reads: string, look: string, env: Readonly<Record<string, string>>): string {
  const variables = Object.keys(env)
  const set = variables.length === 0 ? '' : `cp .env.example .env    # and set ${variables.join(', ')}\n`
  return `# ${name}

\`job.ts\` reads ${reads}. Change it to what you have, then:

\`\`\`sh
npm install
${set}npm test                # runs job.test.ts
npm run check           # shows the first rows, loads nothing
npm start               # loads; run it again, and it continues where it stopped
\`\`\`

Look at the result: \`${look}\`. Rejected records: \`npx sluice dead-letters job.ts\`.
`
}
