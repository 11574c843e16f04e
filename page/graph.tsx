// The layers of a run as a graph: their inputs, and their state.

import type { JSX } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { LayerFigures, RunSnapshot } from '../src/pipeline/snapshot.ts'
import type { History, LayerRates } from './history.ts'
import { CARD_HEIGHT, layoutOf, type Place } from './layout.ts'
import { countText, percentText, rateText, shortText } from './words.ts'

const KINDS: Readonly<Record<LayerFigures['kind'], string>> = {
  source: 'extract',
  steps: 'transform',
  calls: 'calls',
  stages: 'own stages',
  load: 'load',
}

const EXCHANGES: Readonly<Record<string, string>> = {
  forward: 'each to its own',
  rebalance: 'to any free stage',
  key: 'by key',
}

export function Graph({ run, history }: { readonly run: RunSnapshot; readonly history: History }): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return
    setWidth(element.clientWidth)
    const observer = new ResizeObserver(() => setWidth(element.clientWidth))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  const { height, cardWidth, places, edges } = layoutOf(run.layers, width)
  return (
    <section aria-label="Layers">
      <div class="graph" ref={box} style={{ height: `${height}px` }}>
        <svg width={width} height={height} aria-hidden="true">
          {edges.map(({ from, to, exchange, path }) => (
            <path key={`${from} ${to}`} d={path} class={`edge ${exchange}`}>
              <title>{EXCHANGES[exchange]}</title>
            </path>
          ))}
        </svg>
        <ol>
          {run.layers.map((layer) => (
            <Card
              key={layer.number}
              layer={layer}
              rates={history.layer(layer.number)}
              place={places.find(({ number }) => number === layer.number)}
              cardWidth={cardWidth}
              isBottleneck={layer.number === run.bottleneck}
            />
          ))}
        </ol>
      </div>
    </section>
  )
}

interface CardProps {
  readonly layer: LayerFigures
  readonly rates: LayerRates
  readonly place: Place | undefined
  readonly cardWidth: number
  readonly isBottleneck: boolean
}

function Card({ layer, rates, place, cardWidth, isBottleneck }: CardProps): JSX.Element {
  const { number, kind, title, stages, inputs, dead, busyShare } = layer
  const buffered = stages.reduce((sum, stage) => sum + stage.buffered, 0)
  const demand = stages.reduce((sum, stage) => sum + stage.demand, 0)
  const from = inputs.map(({ from, exchange }) => `from layer ${from}, ${EXCHANGES[exchange]}`).join('; ')
  return (
    <li
      class={`card ${kind} ${isBottleneck ? 'slowest' : ''}`}
      style={{
        left: `${place?.left ?? 0}px`,
        top: `${place?.top ?? 0}px`,
        width: `${cardWidth}px`,
        height: `${CARD_HEIGHT}px`,
      }}
      title={from}
    >
      <p class="kind">
        <span>
          {number} · {KINDS[kind]}
          <span class={isNext(layer) ? 'hidden' : ''}>
            {inputs.length === 0 ? '' : ` of ${inputs.map(({ from }) => from).join(', ')}`}
          </span>
        </span>
        <span>{stages.length === 1 ? '1 stage' : `${countText(stages.length)} stages`}</span>
      </p>
      <h3 title={title}>{title}</h3>
      <p class="rate">
        <span class="value">{rateText(kind === 'source' ? rates.outRate : rates.inRate)}</span>/s
        {isBottleneck && <span class="flag">bottleneck</span>}
      </p>
      <Busy share={busyShare} />
      {stages.length > 1 && <Strip rates={rates} />}
      <p class="small">
        <span title="Events waiting in it">
          waiting <b>{shortText(buffered)}</b>
        </span>
        <span title="Events asked of it and not yet emitted">
          asked <b>{shortText(demand)}</b>
        </span>
        <span title="Dead letters of its steps" class={dead > 0 ? 'warn' : ''}>
          dead <b>{shortText(dead)}</b>
        </span>
      </p>
    </li>
  )
}

/** Whether it takes from the previous layer, as most do, and needs no label. */
function isNext({ number, inputs }: LayerFigures): boolean {
  return inputs.length === 0 || (inputs.length === 1 && inputs[0]?.from === number - 1)
}

/** The share of time it was busy. */
export function Busy({ share }: { readonly share: number | undefined }): JSX.Element {
  const percent = Math.round((share ?? 0) * 100)
  return (
    <span class="busy" role="img" aria-label={`busy ${percentText(share)} of the time`}>
      <span class="bar" aria-hidden="true">
        <span class={percent >= 80 ? 'full' : ''} style={{ width: `${percent}%` }} />
      </span>
      <span aria-hidden="true">{percentText(share)}</span>
    </span>
  )
}

/** One cell per stage, darker if busier: a stage busier than its neighbours stands out. */
function Strip({ rates }: { readonly rates: LayerRates }): JSX.Element {
  return (
    <span class="strip" aria-hidden="true">
      {rates.stages.map(({ stage, busyShare = 0 }) => (
        <span key={stage} class="cell" style={{ opacity: `${0.12 + 0.88 * busyShare}` }} />
      ))}
    </span>
  )
}
