import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import fc from 'fast-check'
import { times } from '../../testing/times.ts'
import { bytesOf, type Packed, Packer, transferablesOf, Unpacker } from './codec.ts'

const { port1, port2 } = new MessageChannel()
port1.unref()
port2.unref()

/** A batch at the other side of a port. */
function send(batch: readonly unknown[], packer: Packer = new Packer()): unknown[] {
  const packed = packer.pack(batch)
  port1.postMessage(packed, transferablesOf(packed))
  return new Unpacker().unpack(receiveMessageOnPort(port2)?.message as Packed) as unknown[]
}

function checkTrip(batch: readonly unknown[]): void {
  equal(differenceOf(send(batch), structuredClone(batch)), undefined)
}

/** Twenty events: enough not to be cloned for being few. */
function twenty(make: (i: number) => unknown): unknown[] {
  return Array.from({ length: 20 }, (_, i) => make(i))
}

const primitive = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity),
  fc.integer(),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', 'GET', '\ud800', '\udc00x', '\u2028', '\0'),
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.bigInt(),
)
const date = fc.date({ noInvalidDate: false })
const key = fc.oneof(
  fc.constantFrom('id', 'at', 'b', '2', '10', '__proto__', 'constructor', 'toString', '', 'a"b', '\u2028', '\ud800'),
  fc.string({ unit: 'binary', maxLength: 4 }),
)
const sparseArray = fc.array(primitive, { maxLength: 4 }).map((items) => {
  const made: unknown[] = [...items]
  made.length += 1
  made.push(1)
  return made
})
const foreign = fc.oneof(
  fc.array(fc.tuple(primitive, primitive), { maxLength: 3 }).map((pairs) => new Map(pairs)),
  fc.array(primitive, { maxLength: 3 }).map((items) => new Set(items)),
  fc.uint8Array({ maxLength: 5 }),
  fc.constant(/x/gi),
  fc.constant(Object('boxed')),
  sparseArray,
  fc.array(fc.integer(), { maxLength: 3 }).map((items) => Object.assign(items, { index: 1 })),
  fc.integer().map((x) => Object.assign(Object.create({ inherited: 1 }), { x })),
  fc.integer().map((x) => Object.assign(Object.create(null), { x })),
  fc.integer().map((x) => Object.defineProperty({ x }, 'hidden', { value: 1, enumerable: false })),
  fc.integer().map((x) => Object.defineProperty({ x }, 'got', { get: () => x, enumerable: true })),
)
const { value: anything } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    primitive,
    date,
    foreign,
    fc.array(tie('value'), { maxLength: 3 }),
    records(key, tie('value')),
  ),
}))

/** Records made key by key, so that `__proto__` is a key like others. */
function records(keys: fc.Arbitrary<string>, values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.array(fc.tuple(keys, values), { maxLength: 4 }).map((pairs) => Object.fromEntries(pairs))
}

/** What makes values of one shape: a primitive type, or objects of such. */
type Values = fc.Arbitrary<unknown>
const leaf: fc.Arbitrary<Values> = fc.constantFrom<Values[]>(
  fc.double(),
  fc.constantFrom('GET', 'POST'),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.boolean(),
  fc.bigInt(),
  date,
  fc.option(fc.integer(), { nil: undefined }),
  fc.option(fc.string()),
  fc.option(date),
  primitive,
  foreign,
  fc.array(fc.integer(), { maxLength: 5 }),
  fc.array(date, { maxLength: 2 }),
)
const { uniform } = fc.letrec<{ uniform: Values }>((tie) => ({
  uniform: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.dictionary(key, tie('uniform'), { maxKeys: 4, noNullPrototype: true }).map((model) => fc.record(model)),
    fc.array(tie('uniform'), { maxLength: 3 }).map((items) => fc.tuple(...items)),
    tie('uniform').map((items) => fc.array(items, { maxLength: 3 })),
    tie('uniform').map((value) => fc.option(value)),
  ),
}))
const batchOf = (values: Values) => fc.array(values, { minLength: 14, maxLength: 40 })
const uniformBatch = uniform.chain(batchOf)
const nearlyUniform = fc
  .tuple(uniformBatch, fc.array(fc.tuple(fc.nat(100), anything), { maxLength: 2 }))
  .map(([batch, others]) => {
    const mixed = [...batch]
    for (const [at, other] of others) mixed.splice(at % (mixed.length + 1), 0, other)
    return mixed
  })
const anyBatch = fc.oneof(uniformBatch, nearlyUniform, batchOf(anything))

describe('Packer', () => {
  it('L52: carries every batch as a structured clone does', () => {
    fc.assert(fc.property(anyBatch, checkTrip), { numRuns: times(300) })
  })

  it('does so with events in which one object is found at two places', () => {
    const shared = fc
      .tuple(fc.array(fc.oneof(anything, date), { minLength: 1, maxLength: 3 }), fc.array(fc.nat(5), { maxLength: 4 }))
      .map(([parts, places]) => {
        const pool: unknown[] = [...parts]
        for (const place of places) pool.push({ x: pool[place % pool.length], y: [pool.at(-1)] })
        return { last: pool.at(-1), pool, n: 1 }
      })
    fc.assert(fc.property(batchOf(shared), checkTrip), { numRuns: times(200) })
  })

  it('gives the same packed batch with and without code made for shapes', () => {
    const generating = new Packer()
    const plain = new Packer({ isGenerating: false })
    fc.assert(
      fc.property(anyBatch, (batch) => {
        const packed = generating.pack(batch)
        equal(differenceOf(packed, plain.pack(batch)), undefined)
        const unpacked = new Unpacker().unpack(packed)
        equal(differenceOf(unpacked, new Unpacker({ isGenerating: false }).unpack(packed)), undefined)
      }),
      { numRuns: times(300) },
    )
  })

  it('packs one batch after the other as it packs each alone', () => {
    const packer = new Packer()
    const unpacker = new Unpacker()
    fc.assert(
      fc.property(anyBatch, (batch) => {
        const packed = packer.pack(batch)
        equal(differenceOf(packed, new Packer().pack(batch)), undefined)
        equal(differenceOf(unpacker.unpack(structuredClone(packed)), structuredClone(batch)), undefined)
      }),
      { numRuns: times(200) },
    )
  })

  it('makes columns of records, with null, nested objects and lists within them', () => {
    const batch = twenty((i) => ({
      i,
      at: new Date(i),
      tags: ['a', 'b'].slice(i % 3),
      user: i % 2 ? null : { name: `n${i}`, isOn: true },
      place: [i, [undefined, -0]],
    }))
    equal(new Packer().pack(batch).kind, 'columns')
    checkTrip(batch)
  })

  it('makes columns of keys with states, whatever the state', () => {
    for (const state of [1, [1, 2], [[1, 2, 3], [4]], { sum: 1, count: 2 }, 'x', null]) {
      const batch = twenty((i) => [`key ${i}`, structuredClone(state)])
      equal(new Packer().pack(batch).kind, 'columns')
      checkTrip(batch)
    }
  })

  it('clones what is few, mixed or has holes', () => {
    const kindOf = (batch: unknown[]) => new Packer().pack(batch).kind
    equal(kindOf([]), 'cloned')
    equal(kindOf([{ a: 1 }]), 'cloned')
    equal(kindOf(twenty((i) => (i === 19 ? { b: 1 } : { a: 1 }))), 'cloned')
    equal(kindOf(twenty((i) => (i === 19 ? { b: 1, a: 1 } : { a: 1, b: 1 }))), 'cloned')
    equal(kindOf(new Array(20)), 'cloned')
    checkTrip(new Array(20))
    for (const few of [[], [1], [{ a: 1 }], [undefined, null]]) checkTrip(few)
  })

  it('takes no key for code', () => {
    const hostile = [
      '__proto__',
      'constructor',
      'prototype',
      '"]; throw new Error("ran"); //',
      "'}); globalThis.hasRun = true; ({'",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: hostile on purpose
      '`${(globalThis.hasRun = true)}`',
      '\\',
      '\\"+(globalThis.hasRun = true)+"',
      '*/ globalThis.hasRun = true /*',
      '\n\r\u2028\u2029\0',
      '\ud800',
      'i',
      'v',
      'k',
      'c0',
      'columns',
      'arguments',
      'get x() {}',
      '...values',
      '[globalThis.hasRun = true]',
      '-1',
      '01',
      '4294967295',
      '1',
    ]
    const model = (i: number) => Object.fromEntries(hostile.map((name, k) => [name, k % 2 ? `${i}` : { [name]: i }]))
    equal(new Packer().pack(twenty(model)).kind, 'columns')
    checkTrip(twenty(model))
    for (const name of hostile) checkTrip(twenty((i) => Object.fromEntries([[name, i]])))
    equal(Object.hasOwn(globalThis, 'hasRun'), false)
    equal(Object.getPrototypeOf(send(twenty(() => JSON.parse('{"__proto__":{"x":1}}')))[0]), Object.prototype)
  })

  it('keeps circles within an event, and ends', () => {
    const circle = (i: number) => {
      const event: Record<string, unknown> = { i, inner: { list: [] as unknown[] } }
      event.self = event
      return event
    }
    checkTrip(twenty(circle))
    checkTrip(
      twenty(() => {
        const list: unknown[] = []
        list.push(list)
        return list
      }),
    )
    checkTrip(
      twenty((i) => {
        const event: Record<string, unknown> = { i }
        event.map = new Map([['event', event]])
        return event
      }),
    )
    let chain: unknown
    for (let i = 0; i < 1000; i += 1) chain = { chain }
    checkTrip(twenty(() => ({ chain })))
  })

  it('keeps one Date at two places of an event one', () => {
    checkTrip(twenty((i) => new Array(2 + (i % 2)).fill(new Date(i))))
    const [event] = send(
      twenty(() => {
        const at = new Date(5)
        return { from: at, to: at }
      }),
    ) as [{ from: Date; to: Date }]
    ok(event.from === event.to)
  })

  it('does not stumble over what only looks like a Date, an array or a record', () => {
    checkTrip(twenty(() => Object.create(Date.prototype)))
    checkTrip(twenty((i) => (i ? new Date(i) : Object.create(Date.prototype))))
    checkTrip(twenty(() => Object.create(Array.prototype)))
    checkTrip(twenty(() => new (class extends Date {})(7)))
    checkTrip(twenty(() => new (class extends Array<number> {})(1, 2)))
    checkTrip(twenty((i) => (i < 9 ? { x: i } : new Point(i))))
    throws(() => send(twenty(() => new Proxy({ x: 1 }, {}))), { name: 'DataCloneError' })
    throws(() => send(twenty(() => new Proxy([1], {}))), { name: 'DataCloneError' })
  })

  it('leaves it to the port to refuse what cannot be cloned', () => {
    for (const value of [Symbol('s'), () => 1, { run() {} }, new WeakMap()]) {
      throws(() => send(twenty((i) => ({ i, value }))), { name: 'DataCloneError' })
      throws(() => send(twenty((i) => (i === 3 ? value : i))), { name: 'DataCloneError' })
      throws(() => send([value]), { name: 'DataCloneError' })
    }
  })

  it('survives more shapes than it keeps', () => {
    const packer = new Packer()
    for (let shape = 0; shape < 200; shape += 1) {
      const batch = twenty((i) => ({ [`key${shape}`]: i, [shape]: [i] }))
      equal(differenceOf(send(batch, packer), batch), undefined)
    }
  })

  it('leaves the events as they are', () => {
    const batch = twenty((i) => ({ i, tags: ['x'] }))
    send(batch)
    deepEqual(
      batch,
      twenty((i) => ({ i, tags: ['x'] })),
    )
  })

  it('works where no code may be made of text', () => {
    const program = `
      const { Packer, Unpacker } = await import(${JSON.stringify(new URL('codec.ts', import.meta.url).href)})
      const batch = Array.from({ length: 20 }, (_, i) => ({ i, name: 'n' + i, at: [new Date(i), null] }))
      const packed = new Packer().pack(batch)
      const unpacked = new Unpacker().unpack(structuredClone(packed))
      console.log(packed.kind, JSON.stringify(unpacked) === JSON.stringify(batch))`
    const flags = ['--disallow-code-generation-from-strings', '--conditions=sluice-source', '--input-type=module']
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', program], {
      encoding: 'utf8',
      cwd: fileURLToPath(new URL('.', import.meta.url)),
    })
    equal(stdout, 'columns true\n', stderr)
  })
})

class Point {
  x: number
  constructor(x: number) {
    this.x = x
  }
}

describe('transferablesOf', () => {
  it('names each buffer once', () => {
    const packed = new Packer().pack(twenty((i) => ({ i, x: i / 2, text: `${i}`, at: new Date(i), ok: true })))
    const buffers = transferablesOf(packed)
    equal(buffers.length, 5)
    equal(new Set(buffers).size, 5)
    deepEqual(transferablesOf(new Packer().pack(['a'])), [])
  })
})

describe('bytesOf', () => {
  it('is about the size of what the events hold', () => {
    const texts = (length: number) => twenty((i) => ({ i, text: `${i}`.padEnd(length) }))
    const difference = bytesOf(new Packer().pack(texts(900))) - bytesOf(new Packer().pack(texts(100)))
    equal(difference, 20 * 800 * 2)
    ok(bytesOf(new Packer().pack([new Uint8Array(5000)])) >= 5000)
    equal(bytesOf(new Packer().pack([])), 0)
  })

  it('is at least a byte for an event, whatever the events are', () => {
    fc.assert(fc.property(anyBatch, (batch) => bytesOf(new Packer().pack(batch)) >= 0))
  })
})

/**
 * Where and how `found` differs from `wanted`; undefined if it does not. Leaves are compared by Object.is, objects by
 * prototype, keys in order, holes, and, within each item of the outermost array, by which places hold one object.
 */
function differenceOf(found: unknown, wanted: unknown): string | undefined {
  if (!Array.isArray(found) || !Array.isArray(wanted)) return compare(found, wanted, 'value', new Map())
  if (found.length !== wanted.length) return `length ${found.length}, not ${wanted.length}`
  for (let i = 0; i < wanted.length; i += 1) {
    if (i in found !== i in wanted) return `[${i}]: one is a hole`
    const difference = compare(found[i], wanted[i], `[${i}]`, new Map())
    if (difference !== undefined) return difference
  }
  return undefined
}

function compare(found: unknown, wanted: unknown, path: string, pairs: Map<unknown, unknown>): string | undefined {
  if (typeof found !== 'object' || typeof wanted !== 'object' || found === null || wanted === null) {
    return Object.is(found, wanted) ? undefined : `${path}: ${String(found)}, not ${String(wanted)}`
  }
  if (pairs.has(found) || pairs.has(wanted)) {
    return pairs.get(found) === wanted && pairs.get(wanted) === found ? undefined : `${path}: shared differently`
  }
  pairs.set(found, wanted)
  pairs.set(wanted, found)
  if (Object.getPrototypeOf(found) !== Object.getPrototypeOf(wanted)) return `${path}: another prototype`
  if (Array.isArray(found) !== Array.isArray(wanted)) return `${path}: one is no array`
  const [ours, theirs] = [partsOf(found), partsOf(wanted)]
  if (ours.length !== theirs.length) return `${path}: ${ours.length} parts, not ${theirs.length}`
  for (const [k, part] of theirs.entries()) {
    const difference = compare(ours[k], part, `${path}.${k >> 1}`, pairs)
    if (difference !== undefined) return difference
  }
  return undefined
}

/** All that an object holds, names and values, in order. */
function partsOf(value: object): unknown[] {
  const parts: unknown[] = Reflect.ownKeys(value).flatMap((key) => [String(key), Reflect.get(value, key)])
  if (value instanceof Date) parts.push(value.getTime())
  else if (value instanceof Map) for (const [key, inner] of value) parts.push(key, inner)
  else if (value instanceof Set) parts.push(...value)
  else if (value instanceof RegExp || value instanceof String) parts.push(`${value}`)
  return parts
}
