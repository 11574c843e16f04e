// Layers while a plan is being laid out: they can still be added to.

import type { Edge, Exchange, Layer, LayerWork, Placed, Topology } from './topology.ts'

/** A layer that can still be added to. */
interface Draft extends Layer {
  work: LayerWork
}

/** Where a node's events come out: of a layer, or on edges to a layer that does not exist yet. */
export type Tail = { readonly layer: Layer } | { readonly stages: number; readonly inputs: readonly Edge[] }

const FORWARD: Exchange = { kind: 'forward' }

export class LayerBuilder {
  readonly #layers: Draft[] = []
  /** Layers to which no further operator may be added. */
  readonly #sealed = new Set<Layer>()
  /** Whether layers that are opened now need the origins of their input. */
  isTracked = false

  open(work: LayerWork, stages: number, inputs: readonly Edge[]): Layer {
    // Each layer has its own edges, which tell apart two layers that continue the same tail.
    const own = inputs.map((edge) => ({ ...edge, isTracked: this.isTracked }))
    const layer: Draft = { number: this.#layers.length + 1, work, stages, inputs: own }
    this.#layers.push(layer)
    return layer
  }

  /** How many channels lead into the layers of a tail. */
  inputsOf(tail: Tail): number {
    let count = 0
    for (const { stages, inputs } of layersOf(tail)) {
      for (const { from, exchange } of inputs) count += exchange.kind === 'forward' ? stages : stages * from.stages
    }
    return count
  }

  stagesOf(tail: Tail): number {
    return 'layer' in tail ? tail.layer.stages : tail.stages
  }

  /** Adds an operator after a tail, in the same stages. */
  append(tail: Tail, placed: Placed): Tail {
    const layer = this.#openBehind(tail)
    if (layer.work.kind !== 'steps') throw new TypeError(`${placed.name} cannot be added to ${layer.work.kind}`)
    layer.work = { kind: 'steps', steps: [...layer.work.steps, placed] }
    return { layer }
  }

  /** Adds an operator to the stages that read a source, if there is nothing else above. */
  appendToSource(tail: Tail, placed: Placed): Tail | undefined {
    if (!('inputs' in tail) || tail.inputs.length !== 1) return undefined
    const [{ from, exchange }] = tail.inputs as readonly [Edge]
    const { work } = from
    if (exchange.kind !== 'forward' || work.kind !== 'source' || this.#sealed.has(from)) return undefined
    ;(from as Draft).work = { ...work, steps: [...(work.steps ?? []), placed] }
    return tail
  }

  /** Adds an operator before the exchange that a tail ends with, if it ends with one that was requested. */
  ahead(tail: Tail, placed: Placed, keepsExchange = false): Tail {
    const isExchange = 'inputs' in tail && tail.inputs.some(({ exchange }) => isKeyed(exchange))
    return isExchange && keepsExchange ? this.#aheadOf(tail.inputs, tail.stages, placed) : this.append(tail, placed)
  }

  /** Adds an operator that is the same wherever it stands: ahead of any exchange that a tail ends with. */
  anywhere(tail: Tail, placed: Placed): Tail {
    const isExchange = 'inputs' in tail && tail.inputs.some(({ exchange }) => exchange.kind !== 'forward')
    if (isExchange) return this.#aheadOf(tail.inputs, tail.stages, placed)
    return this.appendToSource(tail, placed) ?? this.append(tail, placed)
  }

  #aheadOf(edges: readonly Edge[], stages: number, placed: Placed): Tail {
    const inputs = edges.map(({ from, exchange }): Edge => {
      const before = this.append({ layer: from }, placed)
      return { from: 'layer' in before ? before.layer : from, exchange }
    })
    return { stages, inputs }
  }

  /** A layer of its own for work that is not a step. */
  own(tail: Tail, work: LayerWork, stages: number, exchange: Exchange): Tail {
    // Nothing is redistributed twice: the tail's own exchange is enough, unless the work needs more.
    const isEnough = exchange.kind === 'forward' && 'inputs' in tail
    const inputs = isEnough ? tail.inputs : this.#edges([tail], exchange)
    return { layer: this.open(work, stages, inputs) }
  }

  /**
   * An exchange. A previous exchange with nothing after it is dropped. Output of one layer that is used more than once
   * meets in a layer of its own: edges are distinct, layers are not.
   */
  spread(tails: readonly Tail[], stages: number, exchange: Exchange): Tail {
    const inputs = this.#edges(tails, exchange)
    const above = new Set(inputs.map(({ from }) => from))
    if (above.size === inputs.length) return { stages, inputs }
    return { layer: this.open({ kind: 'steps', steps: [] }, stages, inputs) }
  }

  /** Several take from here: none of them may add to it. */
  seal(tail: Tail): void {
    for (const layer of layersOf(tail)) this.#sealed.add(layer)
  }

  topology(last: Tail): Topology {
    return { layers: this.#layers, last: layersOf(last) }
  }

  #edges(tails: readonly Tail[], exchange: Exchange): Edge[] {
    return tails.flatMap((tail) => layersOf(tail)).map((from) => ({ from, exchange }))
  }

  #openBehind(tail: Tail): Draft {
    if ('inputs' in tail) return this.open({ kind: 'steps', steps: [] }, tail.stages, tail.inputs) as Draft
    const { layer } = tail
    if (layer.work.kind === 'steps' && !this.#sealed.has(layer)) return layer as Draft
    return this.open({ kind: 'steps', steps: [] }, layer.stages, [{ from: layer, exchange: FORWARD }]) as Draft
  }
}

function layersOf(tail: Tail): readonly Layer[] {
  return 'layer' in tail ? [tail.layer] : tail.inputs.map(({ from }) => from)
}

function isKeyed({ kind }: Exchange): boolean {
  return kind === 'key' || kind === 'hash'
}
