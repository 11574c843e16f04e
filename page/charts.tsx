// Charts of the last minutes: throughput and latencies.

import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import type { History, Moment } from './history.ts'
import { rateText, spanText } from './words.ts'

interface Curve {
  readonly name: string
  /** A colour of the style sheet: `--curve-1`. */
  readonly colour: string
  readonly of: (moment: Moment) => number | null
}

interface ChartProps {
  readonly title: string
  readonly curves: readonly Curve[]
  readonly moments: readonly Moment[]
  readonly text: (value: number) => string
}

const THROUGHPUT: readonly Curve[] = [
  { name: 'read', colour: '--curve-1', of: ({ read }) => read },
  { name: 'loaded', colour: '--curve-2', of: ({ loaded }) => loaded },
  { name: 'dead', colour: '--curve-3', of: ({ dead }) => dead },
]

const LATENCY: readonly Curve[] = [
  { name: 'commit', colour: '--curve-1', of: ({ commitTookMs }) => commitTookMs },
  { name: 'event time lag', colour: '--curve-2', of: ({ lagMs }) => lagMs },
]

export function Charts({ history }: { readonly history: History }): JSX.Element {
  const { moments } = history
  const latency = LATENCY.filter(({ of }, at) => at === 0 || moments.some((moment) => of(moment) !== null))
  return (
    <div class="charts">
      <Chart title="Records per second" curves={THROUGHPUT} moments={moments} text={rateText} />
      <Chart key={latency.length} title="Latency" curves={latency} moments={moments} text={spanText} />
    </div>
  )
}

const HEIGHT = 170
/** New charts grow from the right. */
const LEAST_SECONDS = 60

function Chart({ title, curves, moments, text }: ChartProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const latest = useRef<uPlot.AlignedData>([[]])
  latest.current = [moments.map(({ atMs }) => atMs / 1000), ...curves.map(({ of }) => moments.map(of))]
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const draw = (): void => {
      plot.current?.destroy()
      plot.current = new uPlot(optionsOf(element, curves, text), latest.current, element)
    }
    draw()
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', draw)
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    return () => {
      scheme.removeEventListener('change', draw)
      observer.disconnect()
      plot.current?.destroy()
    }
  }, [])
  useEffect(() => plot.current?.setData(latest.current))
  const last = moments.at(-1)
  const now = curves.map(({ name, of, colour }) => {
    const value = last === undefined ? null : of(last)
    return { name, colour, text: value === null ? '–' : text(value) }
  })
  return (
    <section class="chart" aria-label={title}>
      <h3>{title}</h3>
      <ul class="legend">
        {now.map(({ name, colour, text }) => (
          <li key={name}>
            <span class={`swatch ${colour.slice(2)}`} aria-hidden="true" /> {name} <b class="reading">{text}</b>
          </li>
        ))}
      </ul>
      <div ref={box} aria-hidden="true" />
    </section>
  )
}

/** From the first moment to the last: set explicitly, as a single time would be drawn as the start of a whole day. */
function timesShown(times: ArrayLike<number>): [from: number, to: number] {
  const last = times[times.length - 1] ?? Date.now() / 1000
  return [Math.min(times[0] ?? last, last - LEAST_SECONDS), last]
}

function optionsOf(element: HTMLElement, curves: readonly Curve[], text: (value: number) => string): uPlot.Options {
  const style = getComputedStyle(element)
  const colour = (name: string): string => style.getPropertyValue(name).trim()
  const axis = {
    stroke: colour('--soft'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  }
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 4, 0, 0],
    scales: {
      x: { range: ({ data: [times] }) => timesShown(times) },
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      { ...axis, size: 26, space: 90, values: '{HH}:{mm}:{ss}' },
      { ...axis, size: 58, space: 36, values: (_plot, values) => values.map((value) => text(value)) },
    ],
    series: [
      {},
      ...curves.map(({ name, colour: stroke }) => ({
        label: name,
        stroke: colour(stroke),
        width: 1.75,
        points: { show: false },
      })),
    ],
  }
}
