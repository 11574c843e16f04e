// A message of syslog, and its columns.

import type { ColumnType } from '../../column.ts'
import type { NamedTexts } from '../../kits/text/named-texts.ts'

/** The structured data of a message: element → parameter → value, or an array if a parameter occurs several times. */
export type SyslogData = Readonly<Record<string, NamedTexts>>

/** A syslog message of RFC 5424 or 3164. What it does not contain is null. */
export interface SyslogMessage {
  /** 0 to 23: 0 is the kernel, 4 is authorization. */
  readonly facility: number | null
  /** 0 to 7: 0 is an emergency, 3 an error, 7 for debugging. */
  readonly severity: number | null
  /** Epoch milliseconds, UTC. */
  readonly time: number | null
  readonly host: string | null
  readonly app: string | null
  readonly procId: string | null
  readonly msgId: string | null
  readonly structuredData: SyslogData | null
  readonly text: string
}

/** The columns of {@link SyslogMessage}, in its order. */
export const SYSLOG_COLUMNS: Readonly<Record<keyof SyslogMessage, ColumnType>> = {
  facility: 'integer',
  severity: 'integer',
  time: 'time',
  host: 'text',
  app: 'text',
  procId: 'text',
  msgId: 'text',
  structuredData: 'json',
  text: 'text',
}
