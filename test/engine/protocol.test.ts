import { deepEqual, equal, ok } from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { ByteReader, ByteWriter } from '../../src/beam/wire/bytes.ts'
import { type CoderSpec, coderOf } from '../../src/beam/wire/coder-of.ts'
import { NO_FIRING } from '../../src/beam/wire/windowed.ts'
import { ROOT } from '../support/project.ts'

const MODEL = join(ROOT, '.engine', 'model')
const skip = existsSync(MODEL) ? false : 'the files of Beam are not installed: npm run engine:install'

describe('the messages of Beam', { skip }, () => {
  /** Messages that stand for several of the same contents, or for one of another name. */
  const ALIASES: Readonly<Record<string, string>> = {
    JobRequest: 'GetJobStateRequest',
    JobState: 'JobStateEvent',
    WorkerResponse: 'StartWorkerResponse',
  }

  it('have the fields that Sluice uses, under the same numbers', () => {
    const theirs = new Map<string, Map<string, string>>()
    for (const path of globSync('**/*.proto', { cwd: MODEL })) {
      for (const [name, fields] of messagesIn(readFileSync(join(MODEL, path), 'utf8'))) theirs.set(name, fields)
    }
    const own = messagesIn(readFileSync(join(ROOT, 'src/beam/wire/beam.proto'), 'utf8'))
    ok(own.size > 40)
    for (const [name, fields] of own) {
      const found = theirs.get(ALIASES[name] ?? name) ?? new Map()
      for (const [field, number] of fields) equal(found.get(field), number, `${name}.${field}`)
    }
  })
})

/** Message, by its own name → its fields with their numbers. */
function messagesIn(text: string): Map<string, Map<string, string>> {
  const plain = text.replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, '')
  const messages = new Map<string, Map<string, string>>()
  const open: (string | undefined)[] = []
  const token = /\bmessage\s+(\w+)\s*\{|\{|\}|([\w.<>, ]+?)\s(\w+)\s*=\s*(\d+)\s*(?:\[[^\]]*\])?;/g
  for (const [all, message, , field, number] of plain.matchAll(token)) {
    if (message !== undefined) {
      open.push(message)
      messages.set(message, messages.get(message) ?? new Map())
    } else if (all === '{') open.push(undefined)
    else if (all === '}') open.pop()
    else if (field !== undefined && number !== undefined) {
      const of = open.findLast((name) => name !== undefined)
      if (of !== undefined) messages.get(of)?.set(field, number)
    }
  }
  return messages
}

/** A section of the file: a coder, whether it is within another one, and what it makes of values. */
interface Section {
  readonly coder: Spec & { readonly non_deterministic?: boolean }
  readonly nested?: boolean
  readonly examples: Readonly<Record<string, unknown>>
}

interface Spec {
  readonly urn: string
  readonly components?: readonly Spec[]
}

/** What Sluice has no use for. */
const UNUSED = /:(timer|param_windowed_value|row|sharded_key|state_backed_iterable|custom_window|nullable):/

describe('the coders of Beam', { skip }, () => {
  const [path = ''] = globSync('**/standard_coders.yaml', { cwd: MODEL })
  const sections = parseAllDocuments(skip === false ? readFileSync(join(MODEL, path), 'utf8') : '', {
    intAsBigInt: true,
  })
    .map((document) => document.toJS() as Section)
    // Elements are always within something: nothing is written to the end of a stream.
    .filter(({ coder, nested }) => nested !== false && !UNUSED.test(coder.urn))

  it('are there', () => ok(sections.length > 10 || skip !== false))

  for (const [index, { coder: spec, examples }] of sections.entries()) {
    const inner = (spec.components ?? []).map(({ urn }) => urn)
    it(`${spec.urn} ${inner.join(', ')} (${index + 1}): as its examples say`, () => {
      const coder = coderOf('0', specsOf(spec))
      for (const [text, value] of Object.entries(examples)) {
        const bytes = Buffer.from(text, 'latin1')
        const expected = sluiceValue(spec, value)
        deepEqual(coder.read(new ByteReader(bytes)), expected)
        if (spec.non_deterministic === true) continue
        const writer = new ByteWriter()
        coder.write(expected, writer)
        deepEqual(writer.take(), bytes)
      }
    })
  }
})

/** Components by their place: `0.1` is the second one of the first coder. */
function specsOf(root: Spec): (id: string) => CoderSpec {
  return (id) => {
    const { urn, components = [] } = id
      .split('.')
      .slice(1)
      .reduce<Spec>((spec, at) => spec.components?.[Number(at)] as Spec, root)
    return { urn, components: components.map((_, at) => `${id}.${at}`) }
  }
}

/** A value of the file as Sluice has it. */
function sluiceValue({ urn, components: [first, second] = [] }: Spec, value: unknown): unknown {
  const one = value as Record<string, unknown>
  switch (urn) {
    case 'beam:coder:bytes:v1':
      return Buffer.from(String(value), 'latin1')
    case 'beam:coder:double:v1':
      return Number(value)
    case 'beam:coder:global_window:v1':
      return 'global'
    case 'beam:coder:interval_window:v1':
      return { end: one.end, size: one.span }
    case 'beam:coder:kv:v1':
      return [sluiceValue(first as Spec, one.key), sluiceValue(second as Spec, one.value)]
    case 'beam:coder:iterable:v1':
      return (value as unknown[]).map((each) => sluiceValue(first as Spec, each))
    case 'beam:coder:windowed_value:v1': {
      const windows = (one.windows as unknown[]).map((window) => sluiceValue(second as Spec, window))
      return { value: sluiceValue(first as Spec, one.value), time: one.timestamp, windows, pane: NO_FIRING }
    }
    default:
      return value
  }
}
