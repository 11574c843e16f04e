// A load that writes numbers to standard output, for readers that go away. Arguments: store, how many numbers.

import { batchOf, isSluiceError } from 'sluice'
import { checkpointed } from '../../src/connect/checkpointed/sink.ts'
import { stdoutSink } from '../../src/connect/memory/stdout.ts'

const [store = '', count = '0'] = process.argv.slice(2)

const sink = checkpointed(stdoutSink<{ id: number }>(), { store })
const writer = await sink.open({ pipeline: 'numbers' })
let next = Number(writer.checkpoint?.positions.get('numbers') ?? 0)
let epoch = writer.checkpoint?.epoch ?? 0
try {
  while (next < Number(count)) {
    const ids = Array.from({ length: Math.min(1000, Number(count) - next) }, (_, at) => next + at)
    await writer.write(
      batchOf(
        ids.map((id) => ({ id })),
        { at: (index) => ({ source: 'numbers', line: 0, offset: ids[index] as number, raw: '' }) },
      ),
    )
    next += ids.length
    epoch += 1
    const totals = { read: next, derived: 0, loaded: next, dead: 0, filtered: 0, blank: 0, absorbed: 0, invalidUtf8: 0 }
    await writer.commit({ epoch, positions: new Map([['numbers', next]]), states: new Map(), totals })
  }
} catch (error) {
  if (!isSluiceError(error)) throw error
  console.error(`${error.code}: ${error.message}`)
} finally {
  await writer.close()
}
