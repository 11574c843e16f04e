// A ledger that is elsewhere: what is entered there goes as messages.

import type { EpochReports } from '../checkpoint/epoch-reports.ts'
import { type DeadLetter, plainOrigin } from '../connect/origin.ts'

/** One call of a ledger, as data. */
export type EpochReport = {
  readonly [Call in keyof EpochReports]: { readonly call: Call; readonly told: Parameters<EpochReports[Call]> }
}[keyof EpochReports]

/** A ledger for stages whose epochs are kept elsewhere. */
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

/** Makes the call where the ledger is. */
export function deliver(reports: EpochReports, { call, told }: EpochReport): void {
  Reflect.apply(reports[call], reports, told)
}

/** An origin may be an object of a class: what it holds is sent. */
function sendable({ origin, ...letter }: DeadLetter): DeadLetter {
  return { ...letter, origin: plainOrigin(origin) }
}
