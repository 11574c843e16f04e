// A ledger that is elsewhere: what is entered there goes as messages.

import type { Ledger } from '../checkpoint/ledger.ts'
import { type DeadLetter, plainOrigin } from '../connect/origin.ts'

/** One call of a ledger, as data. */
export type LedgerEntry = {
  readonly [Call in keyof Ledger]: { readonly call: Call; readonly told: Parameters<Ledger[Call]> }
}[keyof Ledger]

/** A ledger for stages whose epochs are kept elsewhere. */
export function ledgerBy(tell: (entry: LedgerEntry) => void): Ledger {
  return {
    source: (...told) => tell({ call: 'source', told }),
    stage: (...told) => tell({ call: 'stage', told }),
    letters: (epoch, letters) => tell({ call: 'letters', told: [epoch, letters.map(sendable)] }),
    ended: (...told) => tell({ call: 'ended', told }),
    progress: (...told) => tell({ call: 'progress', told }),
    opened: (...told) => tell({ call: 'opened', told }),
    noted: (...told) => tell({ call: 'noted', told }),
    suspect: (origin) => tell({ call: 'suspect', told: [plainOrigin(origin)] }),
  }
}

/** Makes the call where the ledger is. */
export function enter(ledger: Ledger, { call, told }: LedgerEntry): void {
  Reflect.apply(ledger[call], ledger, told)
}

/** An origin may be an object of a class: what it holds is sent. */
function sendable({ origin, ...letter }: DeadLetter): DeadLetter {
  return { ...letter, origin: plainOrigin(origin) }
}
