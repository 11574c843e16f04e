// Lays a plan out: which operators share a stage, and where events change stages.

import { checkInteger } from '../base/check.ts'
import type { Key } from '../base/hash.ts'
import { unreachable } from '../base/invariant.ts'
import { isStateless, nodesOf, type Operator, type PlanNode, type Stateless } from './plan.ts'
import { aggregate, aggregateMerging, aggregatePartly } from './steps/aggregate.ts'
import { departition } from './steps/departition.ts'
import { type Each, each } from './steps/each.ts'
import { flatMap } from './steps/flat-map.ts'
import { join, sided, sidedKey } from './steps/join.ts'
import { reduce } from './steps/reduce.ts'
import { take, takeSort } from './steps/take.ts'
import { uniq } from './steps/uniq.ts'
import { joinWindows, times, windowed, windowedUniq } from './steps/windowed.ts'
import type { Edge, Exchange, Layer, LayoutOptions, LayerWork, Placed, Topology } from './topology.ts'

type Op<K extends Operator['kind']> = Extract<Operator, { kind: K }>

/** A layer that can still be added to. */
interface Draft {
  readonly name: string
  work: LayerWork
  readonly stages: number
  readonly inputs: readonly Edge[]
}

/**
 * A plan as layers of stages.
 *
 * - Operators that follow each other share a stage, until events must change stages or wait.
 * - What needs all events of a key, or all events, gets them: where there are several stages, partial results are made
 *   in each and merged behind an exchange, if they can be; else the events themselves are exchanged.
 * - A partition, shuffle or merge that nothing follows is left out.
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
  readonly #layers: Draft[] = []
  /** Node → the layer that gives what it gives. */
  readonly #placed = new Map<PlanNode, Draft>()
  /** Nodes that several others take from: nothing may be added behind them in their stage. */
  readonly #shared: ReadonlySet<PlanNode>
  /** Exchanges that wait for the first operator behind them. */
  readonly #pending = new Map<PlanNode, { readonly stages: number; readonly inputs: readonly Edge[] }>()

  constructor(last: PlanNode, options: LayoutOptions) {
    this.#last = last
    this.#options = options
    const takers = new Map<PlanNode, number>()
    const nodes = nodesOf(last)
    for (const { inputs } of nodes) for (const input of inputs) takers.set(input, (takers.get(input) ?? 0) + 1)
    this.#shared = new Set(nodes.filter((node) => (takers.get(node) ?? 0) > 1))
    for (const node of nodes) this.#place(node)
  }

  topology(): Topology {
    return { layers: this.#layers, last: this.#settled(this.#last) }
  }

  #place(node: PlanNode): void {
    const { operator } = node
    if (isStateless(operator)) return this.#append(node, placedEach(operator))
    switch (operator.kind) {
      case 'input':
        throw new TypeError('A flow that is run begins at a source: this one continues the source of a pipeline')
      case 'source':
        return this.#source(node, operator)
      case 'uniq':
        return this.#uniq(node, operator)
      case 'take':
        return this.#single(node, { name: operator.name, does: 'take', make: take(operator.count) })
      case 'takeSort':
        return this.#takeSort(node, operator)
      case 'reduce':
        return this.#reduce(node, operator)
      case 'aggregate':
        return this.#aggregate(node, operator)
      case 'departition':
        return this.#single(node, { name: operator.name, does: 'departition', make: departition(operator) })
      case 'join':
        return this.#join(node, operator)
      case 'partition':
        return this.#partition(node, operator)
      case 'shuffle':
        return this.#exchange(node, operator.stages ?? this.#options.stages, { kind: 'free' })
      case 'merge':
        return this.#exchange(node, this.#options.stages, { kind: 'free' })
      case 'batch':
        return this.#batch(node, operator)
      case 'mapAsync':
        return this.#own(node, operator, this.#above(node).stages, { kind: 'forward' })
      case 'throughStages':
        return this.#own(node, operator, 1, { kind: 'free' })
      default:
        return unreachable(operator)
    }
  }

  #source(node: PlanNode, operator: Op<'source'>): void {
    const { name, sources } = operator
    const layer = this.#open({ kind: 'sources', name, sources }, sources.length, [])
    this.#pending.set(node, {
      stages: operator.stages ?? this.#options.stages,
      inputs: [{ from: layer, exchange: { kind: 'free' } }],
    })
    this.#placed.set(node, layer)
  }

  #uniq(node: PlanNode, operator: Op<'uniq'>): void {
    const { name, by, window } = operator
    const placed: Placed =
      window === undefined ? { name, does: 'uniq', make: uniq(by) } : { name, does: 'uniq', make: windowedUniq(operator) }
    if (this.#above(node).stages === 1) return this.#append(node, placed)
    if (window === undefined) this.#append(node, placed)
    else this.#tellTimes(node, window)
    this.#behind(node, this.#above(node).stages, { kind: 'key', key: by }, placed)
  }

  #takeSort(node: PlanNode, { name, count, compare }: Op<'takeSort'>): void {
    const own: Placed = { name, does: 'takeSort', make: takeSort(count, compare) }
    this.#append(node, own)
    if (this.#above(node).stages > 1) {
      this.#behind(node, 1, { kind: 'free' }, { name, does: 'takeSort (merging)', make: takeSort(count, compare, true) })
    }
  }

  #reduce(node: PlanNode, operator: Op<'reduce'>): void {
    const { name, window, isGlobal } = operator
    if (window === undefined) {
      const placed: Placed = { name, does: operator.emits ? 'emitAndReduce' : 'reduce', make: reduce(operator) }
      return isGlobal ? this.#single(node, placed) : this.#append(node, placed)
    }
    const hasTimes = this.#mayNeedTimes(node, isGlobal, window)
    const placed: Placed = { name, does: `reduce in ${window.kind} windows`, make: windowed(operator, hasTimes) }
    if (isGlobal) this.#single(node, placed)
    else this.#append(node, placed)
  }

  /** Where the events of a window change stages, their times are told before: whether that was done. */
  #mayNeedTimes(node: PlanNode, isGlobal: boolean, window: NonNullable<Op<'reduce'>['window']>): boolean {
    const pending = node.inputs[0] === undefined ? undefined : this.#pending.get(node.inputs[0])
    if (pending !== undefined && node.inputs[0]?.operator.kind === 'partition') {
      for (const { from } of pending.inputs) this.#addTo(from as Draft, times(window))
      return true
    }
    if (isGlobal && this.#above(node).stages > 1) {
      this.#tellTimes(node, window)
      return true
    }
    return false
  }

  #aggregate(node: PlanNode, operator: Op<'aggregate'>): void {
    const { name, key, window } = operator
    const stages = this.#above(node).stages
    const exchange: Exchange = key === undefined ? { kind: 'free' } : { kind: 'key', key }
    const behind = key === undefined ? 1 : stages
    if (window !== undefined) {
      const isExchanged = stages > 1
      const placed: Placed = { name, does: `aggregate in ${window.kind} windows`, make: windowed(operator, isExchanged) }
      if (!isExchanged) return this.#append(node, placed)
      this.#tellTimes(node, window)
      return this.#behind(node, behind, exchange, placed)
    }
    if (stages === 1) return this.#append(node, { name, does: 'aggregate', make: aggregate(operator) })
    if (operator.aggregate.merge === undefined) {
      return this.#behind(node, behind, exchange, { name, does: 'aggregate', make: aggregate(operator) })
    }
    this.#append(node, { name, does: 'aggregate (partial results)', make: aggregatePartly(operator) })
    const byKey: Exchange = key === undefined ? exchange : { kind: 'key', key: ([of]: readonly [Key, unknown]) => of }
    this.#behind(node, behind, byKey, { name, does: 'aggregate (merging)', make: aggregateMerging(operator) })
  }

  #join(node: PlanNode, operator: Op<'join'>): void {
    const stages = operator.stages ?? this.#options.stages
    const { window } = operator
    const inputs = node.inputs.map((input, index): Edge => {
      const side = index === 0 ? 'left' : 'right'
      const from = this.#openFor(input)
      if (window !== undefined) this.#addTo(from, times(window))
      this.#addTo(from, { name: operator.name, does: `${side} side`, make: sided(side) })
      return { from, exchange: stages === 1 ? { kind: 'free' } : { kind: 'key', key: sidedKey(operator) } }
    })
    const make = join(operator, window === undefined ? undefined : joinWindows(window))
    const work: LayerWork = { kind: 'steps', steps: [{ name: operator.name, does: `${operator.mode} join`, make }] }
    this.#placed.set(node, this.#open(work, stages, inputs))
  }

  #partition(node: PlanNode, { stages = this.#options.stages, by }: Op<'partition'>): void {
    const exchange: Exchange = 'key' in by ? { kind: 'key', key: by.key } : { kind: 'hash', hash: by.hash }
    this.#exchange(node, stages, stages === 1 ? { kind: 'free' } : exchange)
  }

  #batch(node: PlanNode, operator: Op<'batch'>): void {
    const { stages } = this.#above(node)
    const { key } = operator
    this.#own(node, operator, stages, key === undefined || stages === 1 ? { kind: 'forward' } : { kind: 'key', key })
  }

  // — layers —

  /** An exchange becomes a layer with the first operator behind it: one that nothing follows is left out. */
  #exchange(node: PlanNode, stages: number, exchange: Exchange): void {
    const inputs = node.inputs.map((input): Edge => ({ from: this.#settled(input), exchange }))
    this.#pending.set(node, { stages, inputs })
    const [only] = inputs
    if (inputs.length === 1 && only !== undefined) this.#placed.set(node, only.from as Draft)
  }

  /** An operator that needs all events in one stage. */
  #single(node: PlanNode, placed: Placed): void {
    if (this.#above(node).stages === 1) this.#append(node, placed)
    else this.#behind(node, 1, { kind: 'free' }, placed)
  }

  /** An operator that follows the one above in the same stage. */
  #append(node: PlanNode, placed: Placed): void {
    const layer = this.#placed.get(node) ?? this.#openFor(this.#inputOf(node))
    this.#addTo(layer, placed)
    this.#placed.set(node, layer)
  }

  /** An operator behind an exchange of its own. */
  #behind(node: PlanNode, stages: number, exchange: Exchange, placed: Placed): void {
    const from = this.#placed.get(node) ?? this.#settled(this.#inputOf(node))
    const layer = this.#open({ kind: 'steps', steps: [placed] }, stages, [{ from, exchange }])
    this.#placed.set(node, layer)
  }

  /** A layer of the operator's own. */
  #own(node: PlanNode, work: LayerWork, stages: number, exchange: Exchange): void {
    const pending = this.#pending.get(this.#inputOf(node))
    const own: readonly Edge[] =
      pending === undefined || (exchange.kind !== 'forward' && pending.inputs.length === 1)
        ? [{ from: this.#settled(this.#inputOf(node)), exchange }]
        : pending.inputs
    this.#placed.set(node, this.#open(work, stages, own))
  }

  /** Adds the telling of event times to the stage above `node`. */
  #tellTimes(node: PlanNode, window: NonNullable<Op<'reduce'>['window']>): void {
    this.#append(node, times(window))
  }

  /** The stages that the operator at `node` would share. */
  #above(node: PlanNode): { readonly stages: number } {
    const own = this.#placed.get(node)
    if (own !== undefined) return own
    const input = this.#inputOf(node)
    return this.#pending.get(input) ?? this.#settled(input)
  }

  /** A layer to which an operator behind `input` can be added. */
  #openFor(input: PlanNode): Draft {
    const pending = this.#pending.get(input)
    if (pending !== undefined) return this.#open({ kind: 'steps', steps: [] }, pending.stages, pending.inputs)
    const layer = this.#settled(input)
    if (layer.work.kind === 'steps' && !this.#shared.has(input)) return layer
    const exchange: Exchange = { kind: 'forward' }
    return this.#open({ kind: 'steps', steps: [] }, layer.stages, [{ from: layer, exchange }])
  }

  /** The layer that gives what `node` gives; a merge that nothing follows needs one after all. */
  #settled(node: PlanNode): Draft {
    const placed = this.#placed.get(node)
    if (placed !== undefined) return placed
    const layer = this.#openFor(node)
    this.#placed.set(node, layer)
    this.#pending.delete(node)
    return layer
  }

  #open(work: LayerWork, stages: number, inputs: readonly Edge[]): Draft {
    const layer: Draft = { name: `layer ${this.#layers.length + 1}`, work, stages, inputs }
    this.#layers.push(layer)
    return layer
  }

  #addTo(layer: Draft, placed: Placed): void {
    if (layer.work.kind !== 'steps') throw new TypeError(`${placed.name} cannot be added to ${layer.work.kind}`)
    layer.work = { kind: 'steps', steps: [...layer.work.steps, placed] }
  }

  #inputOf(node: PlanNode): PlanNode {
    const [input] = node.inputs
    if (input === undefined) throw new TypeError(`${node.operator.name} takes from nothing`)
    return input
  }
}

function placedEach(operator: Stateless): Placed {
  const { kind, name } = operator
  const does = name.startsWith(kind) ? kind : `${kind} ${name}`
  return { name, does, make: operator.kind === 'flatMap' ? flatMap(operator.fn) : each([operator as Each]) }
}
