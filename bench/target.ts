// What a contestant is meant to reach, and whether it did.

/** Compared with another contestant of the same table (`as` is its short name), with the fastest of several, or with a figure. */
export type Target =
  | { readonly kind: 'time'; readonly atMost: number; readonly than: string; readonly as: string }
  | {
      readonly kind: 'speed'
      readonly atLeast: number
      readonly than: string | readonly string[]
      readonly as?: string
    }
  | { readonly kind: 'rate'; readonly atLeast: number }
  | { readonly kind: 'seconds'; readonly atMost: number }
  | { readonly kind: 'peak'; readonly atMostMB: number }

/** What a contestant took: the medians. */
export interface Figures {
  readonly seconds: number
  readonly peakBytes: number
  readonly amount: number
}

/** The target in words, what was found, and `met` or `missed`; undefined if the one to compare with did not run. */
export function verdictOf(target: Target, own: Figures, all: ReadonlyMap<string, Figures>): string | undefined {
  switch (target.kind) {
    case 'time': {
      const than = all.get(target.than)
      if (than === undefined) return undefined
      const found = own.seconds / than.seconds
      return verdict(`time ≤ ${target.atMost} × ${target.as}`, found.toFixed(2), found <= target.atMost)
    }
    case 'speed': {
      const [fastest] = [target.than]
        .flat()
        .map((name) => ({ name, seconds: all.get(name)?.seconds ?? Number.POSITIVE_INFINITY }))
        .sort((a, b) => a.seconds - b.seconds)
      if (fastest === undefined || fastest.seconds === Number.POSITIVE_INFINITY) return undefined
      const found = fastest.seconds / own.seconds
      return verdict(
        `speed ≥ ${target.atLeast} × ${target.as ?? fastest.name}`,
        found.toFixed(2),
        found >= target.atLeast,
      )
    }
    case 'rate': {
      const found = own.amount / own.seconds
      return verdict(`≥ ${target.atLeast / 1e6} M/s`, (found / 1e6).toFixed(1), found >= target.atLeast)
    }
    case 'seconds':
      return verdict(`≤ ${target.atMost} s`, own.seconds.toFixed(3), own.seconds <= target.atMost)
    case 'peak': {
      const found = own.peakBytes / 1e6
      return verdict(`≤ ${target.atMostMB} MB`, found.toFixed(0), found <= target.atMostMB)
    }
  }
}

function verdict(target: string, found: string, isMet: boolean): string {
  return `${target}: ${found} ${isMet ? 'met' : 'missed'}`
}
