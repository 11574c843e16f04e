// Metrics in the text exposition format of Prometheus, from plain data.

/** One value of a metric, with its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

/** A metric with all its samples. */
export interface Family {
  /** With its unit, and `_total` for a counter: `sluice_stage_busy_seconds_total`. */
  readonly name: string
  /** A counter only goes up, except when it restarts; a gauge goes either way. */
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly samples: readonly Sample[]
}

/** The content type of such a text. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * Families as text; families without samples are left out. Label values may hold anything.
 *
 * @example
 * const samples = [{ labels: { job: 'a"b' }, value: 1 }]
 * exposition([{ name: 'up', type: 'gauge', help: 'Up?', samples }]) // => '# HELP up Up?\n# TYPE up gauge\nup{job="a\\"b"} 1\n'
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function exposition(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, type, help, samples }) => {
      const lines = samples.map(({ labels, value }) => `${name}${labelsText(labels)} ${valueText(value)}\n`)
      return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`
    })
    .join('')
}

function labelsText(labels: Sample['labels']): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(`${value}`)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}

function escapeHelp(text: string): string {
  return text.toWellFormed().replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function valueText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : `${value}`
}
