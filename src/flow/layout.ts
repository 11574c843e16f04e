// Lays a plan out: which operators share a stage, and where events change stages.

import { checkInteger } from '../base/check.ts'
import { fieldsReadBy } from '../base/field.ts'
import type { Key } from '../base/hash.ts'
import { unreachable } from '../base/invariant.ts'
import { canCombine } from '../window/combiner.ts'
import { describeWindow, windowText } from '../window/place.ts'
import type { EventTimeWindow } from '../window/window.ts'
import { columnKeyCheck } from './by-column.ts'
import { LayerBuilder, type Tail } from './layer-builder.ts'
import { keyName } from './name.ts'
import { neededFields, takingCheck, usedBy } from './operator-fields.ts'
import { orderedNodes } from './order.ts'
import { type OriginPaths, originPaths } from './origin-paths.ts'
import { isStateless, nodesOf, type Operator, type PlanNode, type Stateless, type Windowing } from './plan.ts'
import { checkOneShots, isSplittable } from './source.ts'
import { aggregate, aggregateMerging, aggregatePartly } from './steps/aggregate.ts'
import { batch } from './steps/batch.ts'
import { branch } from './steps/branch.ts'
import { departition } from './steps/departition.ts'
import { each } from './steps/each.ts'
import { flatMap } from './steps/flat-map.ts'
import { join, sided, sidedKey } from './steps/join.ts'
import { lacking } from './steps/lacking.ts'
import { reduce } from './steps/reduce.ts'
import { take, takeSort } from './steps/take.ts'
import { times } from './steps/times.ts'
import { uniq } from './steps/uniq.ts'
import { aggregateWork, combining, reduceWork, uniqWork, type WindowWork, windowed } from './steps/windowed.ts'
import type { Edge, Exchange, LayoutOptions, Placed, Topology } from './topology.ts'

type Op<K extends Operator['kind']> = Extract<Operator, { kind: K }>

const FREE: Exchange = { kind: 'free' }

/**
 * A plan as layers of stages.
 *
 * - Consecutive operators share a stage, until events must change stages or wait.
 * - An operator that needs all events of a key, or all events, gets them: with several stages, partial results are made
 *   in each and merged after an exchange, if possible; otherwise the events themselves are exchanged.
 * - Each stage after a source with splits reads its own ones; a partition, shuffle or merge with nothing after it is
 *   dropped.
 * - Before windows of event time, the events of an input stay in order until their times are read.
 *
 * @example
 * const { layers } = layOut(flow([1, 2]).map((n) => n + 1).partition({ stages: 2 }).reduce(() => 0, (a, n) => a + n).node, { stages: 1 })
 * layers.map(({ stages }) => stages) // => [1, 1, 2]
 */
export function layOut(last: PlanNode, options: LayoutOptions): Topology {
  checkInteger('stages', options.stages, 1)
  return new Layout(last, options).topology()
}

class Layout {
  readonly #last: PlanNode
  readonly #options: LayoutOptions
  readonly #layers = new LayerBuilder()
  /** Node → where its events come out. */
  readonly #tails = new Map<PlanNode, Tail>()
  readonly #ordered: ReadonlySet<PlanNode>
  /** Source → the fields that are asked for by name. */
  readonly #needed: ReadonlyMap<PlanNode, ReadonlySet<string>>
  /** Of a pipeline. */
  readonly #paths: OriginPaths | undefined
  /** Operator → the name under which its state is stored. */
  readonly #ids = new Map<Operator, string>()

  constructor(last: PlanNode, options: LayoutOptions) {
    this.#last = last
    this.#options = options
    const nodes = nodesOf(last)
    checkOneShots(nodes.flatMap(({ operator }) => sourcesOf(operator)))
    this.#ordered = orderedNodes(nodes)
    this.#needed = neededFields(nodes)
    this.#paths = options.input === undefined ? undefined : originPaths(last, nodes)
    const consumers = new Map<PlanNode, number>()
    for (const { inputs } of nodes) for (const input of inputs) consumers.set(input, (consumers.get(input) ?? 0) + 1)
    for (const { operator } of nodes) if (!isStateless(operator)) this.#ids.set(operator, this.#newId(operator))
    for (const node of nodes) {
      this.#layers.isTracked = this.#paths?.takes(node) ?? false
      const tail = this.#place(node)
      // Several take from it: what one of them adds is not for the others.
      if ((consumers.get(node) ?? 0) > 1) this.#layers.seal(tail)
      this.#tails.set(node, tail)
    }
  }

  topology(): Topology {
    return { ...this.#layers.topology(this.#tailOf(this.#last)), isTracked: this.#paths?.gives(this.#last) ?? false }
  }

  #place(node: PlanNode): Tail {
    const { operator } = node
    if (isStateless(operator)) return this.#stateless(this.#above(node), placedEach(operator))
    switch (operator.kind) {
      case 'input':
        return this.#input(node, operator)
      case 'branch':
        return this.#layers.append(this.#above(node), {
          ...named(operator, 'branch'),
          make: branch(operator.name, operator.at, operator.ways),
        })
      case 'source':
        return this.#source(node, operator)
      case 'uniq':
        return this.#uniq(node, operator)
      case 'take':
        return this.#single(this.#above(node), { ...named(operator, 'take'), make: take(operator.count) })
      case 'takeSort':
        return this.#takeSort(node, operator)
      case 'reduce':
        return this.#reduce(node, operator)
      case 'aggregate':
        return this.#aggregate(node, operator)
      case 'departition':
        return this.#single(this.#above(node), {
          ...this.#kept(operator, 'departition'),
          givesAtEnd: true,
          make: departition(operator),
        })
      case 'join':
        return this.#join(node, operator)
      case 'partition':
        return this.#partition(node, operator)
      case 'shuffle':
        return this.#layers.spread([this.#above(node)], operator.stages ?? this.#options.stages, FREE)
      case 'merge': {
        const stages = this.#ordered.has(node) ? 1 : this.#options.stages
        return this.#layers.spread(
          node.inputs.map((input) => this.#tailOf(input)),
          stages,
          FREE,
        )
      }
      case 'batch':
        return this.#batch(node, operator)
      case 'mapAsync':
        return this.#mapAsync(node, operator)
      case 'throughStages':
        return this.#layers.own(this.#above(node), operator, 1, FREE)
      default:
        return unreachable(operator)
    }
  }

  #input(node: PlanNode, { name }: Op<'input'>): Tail {
    const { input } = this.#options
    if (input === undefined) {
      throw new TypeError('A flow that runs by itself begins at a source: this one continues the source of a pipeline')
    }
    return this.#source(node, { kind: 'source', name, sources: [input], stages: undefined })
  }

  #source(node: PlanNode, operator: Op<'source'>): Tail {
    const { sources, stages } = operator
    const behind = stages ?? this.#options.stages
    const canSplit = sources.map(isSplittable)
    const inputs = sourcesOf(operator).map((named, index): Edge => {
      const isSplit = canSplit[index] === true
      const steps = isSplit ? this.#checks(node, named.source) : []
      const work = { kind: 'source', ...named, ...(steps.length === 0 ? {} : { steps }) } as const
      return { from: this.#layers.open(work, isSplit ? behind : 1, []), exchange: isSplit ? { kind: 'forward' } : FREE }
    })
    const isOrdered = this.#ordered.has(node) && !canSplit.every(Boolean)
    if (!isOrdered) return { stages: behind, inputs }
    return { stages: 1, inputs: inputs.map(({ from }) => ({ from, exchange: FREE })) }
  }

  /** Fields that are asked for by name are looked for right where rows are read. */
  #checks(node: PlanNode, source: unknown): readonly Placed[] {
    const fields = [...(this.#needed.get(node) ?? [])]
    if (fields.length === 0) return []
    const { title, isTabular = false } = source as { readonly title: string; readonly isTabular?: boolean }
    const name = 'fields'
    return [
      { name, does: `look for ${fields.join(', ')}`, isCounted: true, make: lacking({ fields, isTabular, title }) },
    ]
  }

  /** What looks at one event at a time is done where a pipeline's sources are read, as far as it can be. */
  #stateless(above: Tail, placed: Placed): Tail {
    const atSource = this.#paths === undefined ? undefined : this.#layers.appendToSource(above, placed)
    return atSource ?? this.#layers.append(above, placed)
  }

  #uniq(node: PlanNode, operator: Op<'uniq'>): Tail {
    const exchange = byKey(operator.by)
    const { window } = operator
    if (window !== undefined) {
      // Which events a count window holds depends on all of them.
      const meeting = window.kind === 'count' ? FREE : exchange
      return this.#windowed(this.#above(node), uniqWork(operator), meeting, 'uniq', operator)
    }
    const make = uniq(operator)
    const above = this.#above(node)
    if (this.#layers.stagesOf(above) === 1) return this.#layers.append(above, { ...this.#kept(operator, 'uniq'), make })
    // The first half only reduces what is exchanged: nothing is lost with its state.
    const first = this.#layers.append(above, { ...named(operator, 'uniq'), make })
    return this.#behind(first, exchange, { ...this.#kept(operator, 'uniq'), make })
  }

  #takeSort(node: PlanNode, operator: Op<'takeSort'>): Tail {
    const { isOfRun } = operator
    const placed = { ...this.#kept(operator, 'takeSort'), givesAtEnd: true, forgetsAtEnd: isOfRun }
    const above = this.#above(node)
    // All of them go to one stage in any case.
    if (isOfRun || this.#layers.stagesOf(above) === 1)
      return this.#single(above, { ...placed, make: takeSort(operator) })
    const first = this.#layers.append(above, { ...placed, make: takeSort(operator, 'first') })
    const merging = {
      ...named(operator, 'takeSort (merging)'),
      fields: undefined,
      givesAtEnd: true,
      make: takeSort(operator, 'merging'),
    }
    return this.#single(first, merging)
  }

  #reduce(node: PlanNode, operator: Op<'reduce'>): Tail {
    const above = this.#above(node)
    const does = operator.emits ? 'emitAndReduce' : 'reduce'
    const { by } = operator
    // After a partition there is a state for each stage; one that gathers by key has all events of its keys.
    const exchange = operator.isGlobal ? FREE : by === undefined ? undefined : byKey(by)
    if (operator.window !== undefined) return this.#windowed(above, reduceWork(operator), exchange, does, operator)
    const placed: Placed = { ...this.#kept(operator, does), givesAtEnd: true, make: reduce(operator) }
    if (exchange === undefined || this.#layers.stagesOf(above) === 1) return this.#layers.append(above, placed)
    return this.#behind(above, exchange, placed)
  }

  #aggregate(node: PlanNode, operator: Op<'aggregate'>): Tail {
    const above = this.#above(node)
    const { key } = operator
    const exchange = key === undefined ? FREE : byKey(key)
    if (operator.window !== undefined)
      return this.#windowed(above, aggregateWork(operator), exchange, 'aggregate', operator)
    const placed: Placed = { ...this.#kept(operator, 'aggregate'), givesAtEnd: true, make: aggregate(operator) }
    if (this.#layers.stagesOf(above) === 1) return this.#layers.append(above, placed)
    if (operator.aggregate.merge === undefined) return this.#behind(above, exchange, placed)
    const partly = this.#layers.append(above, {
      ...named(operator, 'aggregate (partial results)'),
      make: aggregatePartly(operator),
    })
    const merged: Exchange = exchange.kind === 'key' ? { ...exchange, key: keyOfPart } : exchange
    return this.#behind(partly, merged, {
      ...this.#kept(operator, 'aggregate (merging)'),
      fields: undefined,
      givesAtEnd: true,
      make: aggregateMerging(operator),
    })
  }

  /**
   * An operator in windows: times are read before the exchange, and events are combined there if possible.
   *
   * @param exchange - how events find their stage; undefined: they are in it already
   */
  #windowed(above: Tail, work: WindowWork, exchange: Exchange | undefined, does: string, operator: Operator): Tail {
    const { window, name } = work
    const id = this.#idOf(operator)
    const isSole = (): boolean => this.#layers.inputsOf(told) === 1
    const timed = 'at' in window ? placedTimes(name, window as EventTimeWindow<never>, id, isSole) : undefined
    const told: Tail = timed === undefined ? above : this.#layers.ahead(above, timed, exchange === undefined)
    const doing = `${does} in ${windowText(window)}`
    const own = named(operator, doing)
    const kept = { id, keeps: keepsOf(operator), givesAtEnd: does !== 'uniq' }
    const feed = { isCombined: false, isSole }
    if (exchange === undefined || this.#layers.stagesOf(told) === 1) {
      return this.#layers.append(told, { ...own, ...kept, make: windowed(work, feed) })
    }
    const fold = work.fold([])
    // What the clock or a mark may request at any time must not wait further up.
    const mayWait = window.triggers.every(({ kind }) => kind !== 'interval' && kind !== 'mark')
    if (does !== 'aggregate' || !mayWait || !canCombine(window, fold)) {
      return this.#behind(told, exchange, { ...own, ...kept, make: windowed(work, feed) })
    }
    const partly = this.#layers.append(told, {
      ...named(operator, `${doing} (partial results)`),
      make: combining(work),
    })
    const merged: Exchange = exchange.kind === 'key' ? { ...exchange, key: keyOfPart } : exchange
    const merging = windowed(work, { ...feed, isCombined: true })
    return this.#behind(partly, merged, {
      ...named(operator, `${doing} (merging)`),
      ...kept,
      fields: undefined,
      make: merging,
    })
  }

  #join(node: PlanNode, operator: Op<'join'>): Tail {
    const { name, mode, window, stages = this.#options.stages } = operator
    const sides = node.inputs.map((input, index): Tail => {
      const side = index === 0 ? 'left' : 'right'
      const above = this.#checked(this.#tailOf(input), operator, side)
      const told = isEventTime(window)
        ? this.#layers.ahead(
            above,
            placedTimes(name, window, `${this.#idOf(operator)}, ${side}`, () => false),
          )
        : above
      return this.#layers.append(told, { name, does: `${side} side of ${name}`, make: sided(side) })
    })
    const exchange = stages === 1 ? FREE : { ...byKey(operator.left), key: sidedKey(operator) }
    const both = this.#layers.spread(sides, stages, exchange)
    return this.#layers.append(both, {
      ...this.#kept(operator, `${mode} join`),
      givesAtEnd: mode !== 'inner',
      make: join(operator),
    })
  }

  #partition(node: PlanNode, { stages = this.#options.stages, by }: Op<'partition'>): Tail {
    const exchange: Exchange = 'key' in by ? byKey(by.key) : { kind: 'hash', hash: by.hash }
    return this.#layers.spread([this.#above(node)], stages, stages === 1 ? FREE : exchange)
  }

  #batch(node: PlanNode, operator: Op<'batch'>): Tail {
    const above = this.#above(node)
    const { key } = operator
    const placed: Placed = {
      ...this.#kept(operator, 'batch'),
      forgetsAtEnd: true,
      givesAtEnd: true,
      make: batch(operator),
    }
    const mustMeet = key !== undefined && this.#layers.stagesOf(above) > 1
    return mustMeet ? this.#behind(above, byKey(key), placed) : this.#layers.append(above, placed)
  }

  #mapAsync(node: PlanNode, operator: Op<'mapAsync'>): Tail {
    const above = this.#above(node)
    const { concurrency, key } = operator.settings
    // The number of calls in total: each stage has its share.
    const stages = Math.min(this.#layers.stagesOf(above), concurrency)
    const isSame = stages === this.#layers.stagesOf(above)
    const exchange: Exchange = isSame ? { kind: 'forward' } : FREE
    return this.#layers.own(above, operator, stages, key !== undefined && stages > 1 ? byKey(key) : exchange)
  }

  /** An operator that needs all events in one stage. */
  #single(above: Tail, placed: Placed): Tail {
    if (this.#layers.stagesOf(above) === 1) return this.#layers.append(above, placed)
    return this.#layers.append(this.#layers.spread([above], 1, FREE), placed)
  }

  /** An operator after an exchange of its own: without keys in one stage. */
  #behind(above: Tail, exchange: Exchange, placed: Placed): Tail {
    const stages = exchange.kind === 'free' ? 1 : this.#layers.stagesOf(above)
    return this.#layers.append(this.#layers.spread([above], stages, exchange), placed)
  }

  #kept(operator: Operator, does: string): Pick<Placed, 'name' | 'does' | 'fields' | 'id' | 'keeps'> {
    return { ...named(operator, does), id: this.#idOf(operator), keeps: keepsOf(operator) }
  }

  #idOf(operator: Operator): string {
    return this.#ids.get(operator) ?? operator.name
  }

  /** By kind and name, counted if there are several: operators inserted between others change no names. */
  #newId({ kind, name }: Operator): string {
    const plain = name.startsWith(kind) ? name : `${kind} ${name}`
    const taken = new Set(this.#ids.values())
    let id = plain
    for (let n = 2; taken.has(id); n += 1) id = `${plain} (${n})`
    return id
  }

  #above(node: PlanNode): Tail {
    const [input] = node.inputs
    if (input === undefined) throw new TypeError(`${node.operator.name} takes from nothing`)
    return this.#checked(this.#tailOf(input), node.operator)
  }

  /** In a pipeline an event that an operator cannot take is a dead letter: it is found while its record is known. */
  #checked(above: Tail, operator: Operator, side?: 'left' | 'right'): Tail {
    const keep = this.#paths === undefined ? undefined : takingCheck(operator, side)
    if (keep === undefined) return above
    const { name } = operator
    const fields = { reads: fieldsReadBy(keep) ?? [] }
    const byColumn = operator.kind === 'takeSort' ? undefined : columnKeyCheck(fields.reads)
    const check = { kind: 'filter', name, keep, byColumn } as const
    const does = `check ${fields.reads.join(', ')} for ${name}`
    return this.#layers.anywhere(above, { name, does, fields, isCounted: true, each: check, make: each([check]) })
  }

  #tailOf(node: PlanNode): Tail {
    const tail = this.#tails.get(node)
    if (tail === undefined) throw new TypeError(`${node.operator.name} was not laid out`)
    return tail
  }
}

function byKey(key: (value: never) => Key): Extract<Exchange, { kind: 'key' }> {
  const of = keyName(key)
  return of === undefined ? { kind: 'key', key } : { kind: 'key', key, of }
}

/** Partial results come with their keys. */
function keyOfPart([of]: readonly [Key]): Key {
  return of
}

function named(operator: Operator, does: string): Pick<Placed, 'name' | 'does' | 'fields'> {
  const { name, kind } = operator
  return { name, does: name.startsWith(kind) ? does : `${does} ${name}`, fields: usedBy(operator) ?? 'all' }
}

function sourcesOf(operator: Operator): { readonly name: string; readonly source: unknown }[] {
  if (operator.kind !== 'source') return []
  const { name, sources } = operator
  return sources.map((source, at) => ({ name: sources.length === 1 ? name : `${name} ${at + 1}`, source }))
}

function placedEach(operator: Stateless): Placed {
  const { name, fields, does } = named(operator, operator.kind)
  // By names, its own name says what it does: `where celsius > 20`.
  const own = { name, fields, does: fields === 'all' ? does : name, isCounted: true }
  if (operator.kind === 'flatMap') return { ...own, make: flatMap(operator) }
  return { ...own, each: operator, make: each([operator]) }
}

/** The fields that an operator gathers events by. */
function keyFields(operator: Operator): readonly string[] | undefined {
  if (operator.kind === 'aggregate') return operator.row
  return operator.kind === 'join' ? operator.on : operator.kind === 'uniq' ? fieldsReadBy(operator.by) : undefined
}

/** Describes the state of an operator. */
function keepsOf(operator: Operator): string {
  const parts: string[] = [operator.kind]
  if (operator.kind === 'aggregate') parts.push(operator.aggregate.kind)
  if ('window' in operator && operator.window !== undefined) parts.push(describeWindow(operator.window))
  const key = keyFields(operator)
  if (key !== undefined) parts.push(`by ${key.join(', ')}`)
  return parts.join(' ')
}

function placedTimes(name: string, window: EventTimeWindow<never>, id: string, isSole: () => boolean): Placed {
  const reads = fieldsReadBy(window.at)
  const fields = reads === undefined ? ('all' as const) : { reads }
  return { name, does: `event times of ${name}`, fields, id: `${id}: times`, make: times(name, window, isSole) }
}

function isEventTime(window: Windowing): window is EventTimeWindow<never> {
  return window !== undefined && 'at' in window
}
