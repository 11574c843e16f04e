import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type } from 'arktype'
import { type AccessRequest, collect, type Flow, flow } from 'sluice'
import * as v from 'valibot'
import { z } from 'zod'

interface Reading {
  readonly sensor: string
  readonly at: number
  readonly celsius: number | null
  readonly note?: string
  readonly tags: readonly string[]
}
type Shape = { readonly kind: 'circle'; readonly radius: number } | { readonly kind: 'square'; readonly side: number }

declare const texts: Flow<string>
declare const numbers: Flow<number>
declare const readings: Flow<Reading>
declare const shapes: Flow<Shape>
declare const rows: Flow<Record<string, string>>
declare const requests: Flow<AccessRequest>
declare const parsed: Flow<unknown>
declare const things: Flow<object>
declare const bytes: Flow<Uint8Array>
// biome-ignore lint/suspicious/noExplicitAny: what JSON.parse gives
declare const untyped: Flow<any>

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Of<F> = F extends Flow<infer T, unknown> ? T : never

/** Says what flows on, for the compiler. */
function gives<T>() {
  return <F extends Flow<unknown>>(_: F, ..._same: Same<Of<F>, T> extends true ? [] : [never]): void => {}
}

/** Compiled, and never called. */
function wider(): void {
  gives<{ status: number }>()(requests.validate(z.object({ status: z.number().max(599) })))
  gives<{ status: number }>()(requests.validate(v.object({ status: v.pipe(v.number(), v.maxValue(599)) })))
  gives<{ status: number }>()(requests.validate(type({ status: 'number <= 599' })))
  gives<{ [x: string]: unknown; at: number }>()(readings.validate(z.looseObject({ at: z.number() })))
  gives<Record<string, unknown>>()(readings.validate(z.record(z.string(), z.unknown())))
  gives<unknown>()(readings.validate(z.unknown()))
  gives<unknown>()(readings.validate(v.unknown()))
  gives<unknown>()(readings.validate(type('unknown')))
  gives<{ at: number | string }>()(readings.validate(z.object({ at: z.union([z.number(), z.string()]) })))
  gives<{ tags: string[] }>()(readings.validate(z.object({ tags: z.array(z.string()) })))
  gives<{ tags: string[] }>()(readings.validate(v.object({ tags: v.array(v.string()) })))
  gives<{ tags: string[] }>()(readings.validate(type({ tags: 'string[]' })))
}

function narrowing(): void {
  gives<'a' | 'b'>()(texts.validate(z.enum(['a', 'b'])))
  gives<'a' | 'b'>()(texts.validate(v.picklist(['a', 'b'])))
  gives<'a' | 'b'>()(texts.validate(type("'a' | 'b'")))
  gives<'a'>()(texts.validate(v.pipe(v.string(), v.literal('a'))))
  gives<'a'>()(texts.validate(z.string().pipe(z.literal('a'))))
  gives<string & z.BRAND<'Name'>>()(texts.validate(z.string().brand<'Name'>()))
  gives<number>()(flow([1, null, 'a']).validate(z.number()))
  gives<{ celsius: number; sensor: string }>()(readings.validate(z.object({ celsius: z.number(), sensor: z.string() })))
  gives<{ celsius: number; sensor: string }>()(readings.validate(v.object({ celsius: v.number(), sensor: v.string() })))
  gives<{ celsius: number; sensor: string }>()(readings.validate(type({ celsius: 'number', sensor: 'string' })))
  gives<{ note: string }>()(readings.validate(z.object({ note: z.string() })))
  gives<{ kind: 'circle'; radius: number }>()(
    shapes.validate(z.object({ kind: z.literal('circle'), radius: z.number() })),
  )
}

function transforming(): void {
  gives<number>()(texts.validate(z.string().transform(Number)))
  gives<number>()(texts.validate(v.pipe(v.string(), v.transform(Number))))
  gives<number>()(texts.validate(type('string.numeric.parse')))
  gives<Date>()(texts.validate(type('string.date.iso.parse')))
  gives<{ celsius: string }>()(
    readings.validate(z.object({ celsius: z.number().transform((celsius) => `${celsius} °C`) })),
  )
  gives<{ note: string; at: number }>()(readings.validate(z.object({ note: z.string().default(''), at: z.number() })))
  gives<{ unit: string; at: number }>()(
    readings.validate(v.object({ unit: v.optional(v.string(), 'C'), at: v.number() })),
  )
  gives<{ unit: string; at: number }>()(readings.validate(type({ unit: "string = 'C'", at: 'number' })))
  gives<{ unit?: string | undefined; at: number }>()(
    readings.validate(z.object({ unit: z.string().optional(), at: z.number() })),
  )
}

function coercing(): void {
  gives<number>()(texts.validate(z.coerce.number()))
  gives<Date>()(numbers.validate(z.coerce.date()))
  gives<{ id: number }>()(rows.validate(z.object({ id: z.coerce.number() })))
  gives<{ id: number }>()(rows.validate(v.object({ id: v.pipe(v.unknown(), v.transform(Number)) })))
  gives<{ id: number }>()(rows.validate(type({ id: 'string.numeric.parse' })))
  gives<number>()(texts.validate(z.preprocess((text) => Number(text), z.number())))
}

function ofUnknownEvents(): void {
  gives<{ at: number }>()(parsed.validate(z.object({ at: z.number() })))
  gives<{ at: number }>()(parsed.validate(v.object({ at: v.number() })))
  gives<{ at: number }>()(parsed.validate(type({ at: 'number' })))
  gives<{ at: number }>()(untyped.validate(z.object({ at: z.number() })))
  gives<{ at: number }>()(things.validate(z.object({ at: z.number() })))
  gives<Buffer>()(bytes.validate(z.custom<Buffer>()))
  gives<string>()(flow([]).validate(z.string()))
}

function handMade<T, O>(events: Flow<T>, schema: StandardSchemaV1<T, O>, any: StandardSchemaV1): void {
  const unknowns: Flow<unknown> = events
  gives<O>()(unknowns.validate(schema))
  gives<unknown>()(numbers.validate(any))
  const validate = (value: unknown) => ({ value: String(value) })
  numbers.validate({ '~standard': { version: 1, vendor: 'us', validate } })
}

function refused(): void {
  // @ts-expect-error: numbers are no texts
  numbers.validate(z.string())
  // @ts-expect-error: numbers are no texts
  numbers.validate(v.string())
  // @ts-expect-error: numbers are no texts
  numbers.validate(type('string'))
  // @ts-expect-error: readings have no such field
  readings.validate(z.object({ humidity: z.number() }))
  // @ts-expect-error: readings have no such field
  readings.validate(v.object({ humidity: v.number() }))
  // @ts-expect-error: readings have no such field
  readings.validate(type({ humidity: 'number' }))
  // @ts-expect-error: beside its fields, what is read has no such one
  flow([{ id: 'a' }]).validate(z.object({ id: z.string(), age: z.number() }))
  // @ts-expect-error: the field is a text
  readings.validate(z.object({ at: z.number(), sensor: z.number() }))
  // @ts-expect-error: the field is a text, and always there
  readings.validate(z.object({ sensor: z.number().optional() }))
  // @ts-expect-error: the items are texts
  readings.validate(v.object({ tags: v.array(v.number()) }))
  // @ts-expect-error: there is no such shape
  shapes.validate(z.object({ kind: z.literal('line') }))
  // @ts-expect-error: only squares have a side
  shapes.validate(z.object({ kind: z.literal('circle'), side: z.number() }))
  // @ts-expect-error: what is read from CSV are texts
  rows.validate(z.object({ id: z.number() }))
  // @ts-expect-error: not a schema
  numbers.validate({})
}

describe('the types of schemas', () => {
  it('L63: take what an event can be, and give what comes out', () => {
    void [wider, narrowing, transforming, coercing, ofUnknownEvents, handMade, refused]
  })

  it('L63: give at run time what they say', async () => {
    const events = flow([{ id: '7', kind: 'a' }])
    deepEqual(await collect(events.validate(z.object({ id: z.coerce.number() }))), [{ id: 7 }])
    deepEqual(await collect(events.validate(v.object({ kind: v.picklist(['a', 'b']) }))), [{ kind: 'a' }])
    deepEqual(await collect(events.validate(type({ id: 'string.numeric.parse' }))), [{ id: 7, kind: 'a' }])
  })
})
