// Where each layer is drawn: in ranks by its distance from the sources, across or down as space allows.

export interface Node {
  readonly number: number
  readonly inputs: readonly { readonly from: number; readonly exchange: string }[]
}

export interface Place {
  readonly number: number
  readonly left: number
  readonly top: number
}

/** A line from one layer to the next, as the path of an SVG. */
export interface Edge {
  readonly from: number
  readonly to: number
  readonly exchange: string
  readonly path: string
}

export interface Layout {
  readonly width: number
  readonly height: number
  readonly cardWidth: number
  readonly places: readonly Place[]
  readonly edges: readonly Edge[]
}

export const CARD_HEIGHT = 148
const NARROWEST = 176
const WIDEST = 300
const ACROSS_GAP = 48
const DOWN_GAP = 28

/** Lays layers out in `width` pixels: left to right if all ranks fit side by side, else top to bottom. */
export function layoutOf(nodes: readonly Node[], width: number): Layout {
  const ranks = ranksOf(nodes)
  const gaps = Math.max(0, ranks.length - 1) * ACROSS_GAP
  const across = Math.floor((width - gaps) / Math.max(1, ranks.length))
  return across >= NARROWEST ? acrossOf(ranks, Math.min(WIDEST, across), width) : downOf(ranks, width)
}

/** Nodes by their distance from a source, those of a rank in the order of their inputs. */
export function ranksOf(nodes: readonly Node[]): readonly (readonly Node[])[] {
  const rank = new Map<number, number>()
  // A layer takes only from layers with lower numbers.
  for (const { number, inputs } of [...nodes].sort((a, b) => a.number - b.number)) {
    rank.set(number, Math.max(-1, ...inputs.map(({ from }) => rank.get(from) ?? -1)) + 1)
  }
  const ranks: Node[][] = []
  for (const node of nodes) {
    const at = rank.get(node.number) ?? 0
    ranks[at] ??= []
    ranks[at].push(node)
  }
  const filled = ranks.filter((nodes) => nodes !== undefined)
  const row = new Map<number, number>()
  for (const nodes of filled) {
    const wish = ({ number, inputs }: Node): number =>
      inputs.length === 0 ? number : inputs.reduce((sum, { from }) => sum + (row.get(from) ?? 0), 0) / inputs.length
    nodes.sort((a, b) => wish(a) - wish(b) || a.number - b.number)
    for (const [at, { number }] of nodes.entries()) row.set(number, at)
  }
  return filled
}

function acrossOf(ranks: readonly (readonly Node[])[], cardWidth: number, width: number): Layout {
  const tallest = Math.max(1, ...ranks.map((nodes) => nodes.length))
  const height = tallest * CARD_HEIGHT + (tallest - 1) * DOWN_GAP
  const places = ranks.flatMap((nodes, rank) => {
    const own = nodes.length * CARD_HEIGHT + (nodes.length - 1) * DOWN_GAP
    return nodes.map(({ number }, at) => ({
      number,
      left: rank * (cardWidth + ACROSS_GAP),
      top: (height - own) / 2 + at * (CARD_HEIGHT + DOWN_GAP),
    }))
  })
  const curve = (from: Place, to: Place): string => {
    const [x1, y1] = [from.left + cardWidth, from.top + CARD_HEIGHT / 2]
    const [x2, y2] = [to.left, to.top + CARD_HEIGHT / 2]
    const bend = (x2 - x1) / 2
    return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`
  }
  return { width, height, cardWidth, places, edges: edgesOf(ranks, places, curve) }
}

function downOf(ranks: readonly (readonly Node[])[], width: number): Layout {
  const abreast = Math.max(1, Math.floor((width + 12) / (NARROWEST + 12)))
  const widest = Math.min(abreast, Math.max(1, ...ranks.map((nodes) => nodes.length)))
  const cardWidth = Math.min(widest === 1 ? 480 : WIDEST, Math.floor((width - (widest - 1) * 12) / widest))
  const places: Place[] = []
  let top = 0
  for (const nodes of ranks) {
    for (let from = 0; from < nodes.length; from += widest) {
      for (const [at, { number }] of nodes.slice(from, from + widest).entries()) {
        places.push({ number, left: at * (cardWidth + 12), top })
      }
      top += CARD_HEIGHT + DOWN_GAP
    }
  }
  const curve = (from: Place, to: Place): string => {
    const [x1, y1] = [from.left + cardWidth / 2, from.top + CARD_HEIGHT]
    const [x2, y2] = [to.left + cardWidth / 2, to.top]
    const bend = (y2 - y1) / 2
    return `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`
  }
  return { width, height: Math.max(0, top - DOWN_GAP), cardWidth, places, edges: edgesOf(ranks, places, curve) }
}

function edgesOf(
  ranks: readonly (readonly Node[])[],
  places: readonly Place[],
  curve: (from: Place, to: Place) => string,
): Edge[] {
  const byNumber = new Map(places.map((place) => [place.number, place]))
  const edges: Edge[] = []
  for (const { number, inputs } of ranks.flat()) {
    const to = byNumber.get(number)
    for (const { from, exchange } of inputs) {
      const start = byNumber.get(from)
      if (start !== undefined && to !== undefined) edges.push({ from, to: number, exchange, path: curve(start, to) })
    }
  }
  return edges
}
