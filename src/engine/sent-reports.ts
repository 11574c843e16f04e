// Epoch reports to another thread, as messages.

import type { EpochReports } from '../checkpoint/epoch-reports.ts'
import { type DeadLetter, plainOrigin } from '../connect/origin.ts'

/** One report, as data. */
export type EpochReport = {
  readonly [Call in keyof EpochReports]: { readonly call: Call; readonly told: Parameters<EpochReports[Call]> }
}[keyof EpochReports]

/** Reports for stages whose epochs are kept elsewhere. */
export function reportsBy(tell: (entry: EpochReport) => void): EpochReports {
  return {
    source: (...told) => tell({ call: 'source', told }),
    stage: (...told) => tell({ call: 'stage', told }),
    deadLetters: (epoch, letters) => tell({ call: 'deadLetters', told: [epoch, letters.map(sendable)] }),
    ended: (...told) => tell({ call: 'ended', told }),
    progress: (...told) => tell({ call: 'progress', told }),
    opened: (...told) => tell({ call: 'opened', told }),
    noted: (...told) => tell({ call: 'noted', told }),
    inHand: (origin) => tell({ call: 'inHand', told: [plainOrigin(origin)] }),
  }
}

/** Delivers a report where the epochs are kept. */
export function deliver(reports: EpochReports, { call, told }: EpochReport): void {
  Reflect.apply(reports[call], reports, told)
}

/** An origin may be an instance of a class: its contents are sent. */
function sendable({ origin, ...letter }: DeadLetter): DeadLetter {
  return { ...letter, origin: plainOrigin(origin) }
}
