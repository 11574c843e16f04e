// The properties of each panel of the details.

import type { RunSnapshot } from '../src/pipeline/snapshot.ts'
import type { Connection } from './connection.ts'
import type { History } from './history.ts'

export interface DetailsProps {
  readonly run: RunSnapshot
  readonly history: History
  readonly connection: Connection
}
