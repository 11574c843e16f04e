// Figures as text: short, and the same everywhere.

import { countText } from '../src/observe/text.ts'

export { bytesText, countText } from '../src/observe/text.ts'

/** Events per second: `0`, `0.4`, `1,204`, `1.20 M`. */
export function rateText(rate: number | undefined): string {
  if (rate === undefined) return '–'
  if (rate === 0) return '0'
  if (rate < 10) return rate.toFixed(1)
  return rate < 1_000_000 ? countText(rate) : `${(rate / 1_000_000).toFixed(2)} M`
}

/** A count for little space: `9,999`, `80 k`, `1.2 M`. */
export function shortText(count: number): string {
  if (count < 10_000) return countText(count)
  return count < 999_500 ? `${Math.round(count / 1000)} k` : `${(count / 1_000_000).toFixed(1)} M`
}

export function percentText(share: number | undefined): string {
  return share === undefined ? '–' : `${Math.round(share * 100)} %`
}

/** A span of time: `12 ms`, `3.4 s`, `5 min`, `2 h 5 min`, `3 d 4 h`. */
export function spanText(ms: number | undefined): string {
  if (ms === undefined) return '–'
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const minutes = Math.round(ms / 60_000)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

export function timeText(atMs: number): string {
  return new Date(atMs).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false })
}
