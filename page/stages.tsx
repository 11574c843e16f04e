// Every stage of every layer with its figures.

import type { JSX } from 'preact'
import type { DetailsProps } from './details-props.ts'
import { Busy } from './graph.tsx'
import { countText, rateText, timeText } from './words.ts'

export function StagesPanel({ run, history }: DetailsProps): JSX.Element {
  return (
    <table class="stages">
      <caption class="hidden">Stages of {run.pipeline}, counted since the attempt started</caption>
      <thead>
        <tr>
          <th scope="col">Stage</th>
          <th scope="col">At work</th>
          <th scope="col" class="number">
            In/s
          </th>
          <th scope="col" class="number">
            Out/s
          </th>
          <th scope="col" class="number">
            Taken
          </th>
          <th scope="col" class="number">
            Given
          </th>
          <th scope="col" class="number">
            Filtered
          </th>
          <th scope="col" class="number">
            Derived
          </th>
          <th scope="col" class="number">
            Waiting
          </th>
          <th scope="col" class="number">
            Asked
          </th>
          <th scope="col">Watermark</th>
        </tr>
      </thead>
      {run.layers.map(({ number, title, stages }) => {
        const rates = history.layer(number)
        return (
          <tbody key={number}>
            <tr>
              <th scope="rowgroup" colSpan={11} title={title}>
                {number} · {title}
              </th>
            </tr>
            {stages.map(({ stage, received, emitted, filtered, derived, buffered, demand, watermarkMs }, at) => (
              <tr key={stage}>
                <th scope="row">
                  {number}.{stage}
                </th>
                <td>
                  <Busy share={rates.stages[at]?.busyShare} />
                </td>
                <td class="number">{rateText(rates.stages[at]?.inRate)}</td>
                <td class="number">{rateText(rates.stages[at]?.outRate)}</td>
                <td class="number">{countText(received)}</td>
                <td class="number">{countText(emitted)}</td>
                <td class="number">{countText(filtered)}</td>
                <td class="number">{countText(derived)}</td>
                <td class="number">{countText(buffered)}</td>
                <td class="number">{countText(demand)}</td>
                <td>{watermarkMs === undefined || !isDate(watermarkMs) ? '–' : timeText(watermarkMs)}</td>
              </tr>
            ))}
          </tbody>
        )
      })}
    </table>
  )
}

/** A watermark may be at the beginning or the end of all time. */
function isDate(ms: number): boolean {
  return ms > 0 && ms < 8.64e15
}
