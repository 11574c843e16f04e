// The entry point of a worker process: where the engine is, and its name there, come as arguments.

import { parseArgs } from 'node:util'
import { messageOf } from '../../base/errors.ts'
import { resolveOwnName } from '../../engine/own-name.ts'
import { GrpcClient } from '../wire/client.ts'
import { loadMessages } from '../wire/messages.ts'
import { Harness } from './harness.ts'
import { LogStream } from './log-stream.ts'

const { values } = parseArgs({
  options: {
    id: { type: 'string' },
    control: { type: 'string' },
    logging: { type: 'string' },
    root: { type: 'string' },
  },
})
const { id = '', control = '', logging = '', root = process.cwd() } = values

// As in the process that started this one.
resolveOwnName()
// Whoever started the worker ends it, too; a signal to the group is not for it.
process.on('SIGINT', () => {})
try {
  const messages = await loadMessages()
  const client = logging === '' ? undefined : new GrpcClient(logging)
  const log = client === undefined ? undefined : new LogStream(client, messages, { worker_id: id })
  await new Harness({ messages, id, control, root, log: (line) => log?.say(line) }).run()
  process.exit(0)
} catch (error) {
  process.stderr.write(`sluice worker ${id}: ${messageOf(error)}\n`)
  process.exit(1)
}
