// Lines for people, into the log of the engine.

import type { GrpcClient, Metadata } from '../wire/client.ts'
import type { Messages } from '../wire/messages.ts'
import { LOGGING } from '../wire/names.ts'

/** As the protocol numbers them. */
const SEVERITY = { info: 3, error: 6 } as const

export class LogStream {
  readonly #messages: Messages
  readonly #send: (message: Uint8Array) => Promise<void>

  constructor(client: GrpcClient, messages: Messages, metadata: Metadata) {
    this.#messages = messages
    const { send, messages: answers } = client.open(LOGGING, metadata)
    this.#send = send
    // The engine sends nothing that matters; without its log, the worker goes on.
    void drained(answers).catch(() => {})
  }

  say(line: string, level: keyof typeof SEVERITY = 'info'): void {
    const { write, LogEntry_ListSchema } = this.#messages
    const nowMs = Date.now()
    const timestamp = { seconds: BigInt(Math.floor(nowMs / 1000)), nanos: (nowMs % 1000) * 1_000_000 }
    const entry = { severity: SEVERITY[level], timestamp, message: line, logLocation: 'sluice', thread: 'main' }
    this.#send(write(LogEntry_ListSchema, { logEntries: [entry] })).catch(() => {})
  }
}

async function drained(messages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of messages) {
    // Nothing to do with it.
  }
}
