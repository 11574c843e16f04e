import { equal, match } from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { InHand } from './in-hand.ts'

describe('what a transformer has in hand', () => {
  it('D134: is counted until it emits, and not where it emits in its own call', () => {
    const later = new InHand('later')
    later.handed(3, false, () => false)
    later.handed(2, false, () => false)
    equal(later.events, 5)
    later.emitted()
    equal(later.events, 0)
    const atOnce = new InHand('at once')
    atOnce.handed(3, true, () => false)
    atOnce.handed(3, false, () => false)
    equal(atOnce.events, 0)
  })

  it('D134: is reported, once, where the stage takes no more and emits nothing', { timeout: 10_000 }, async () => {
    // The warning does not keep the process alive.
    const alive = setInterval(() => {}, 1000)
    const warned = once(process, 'warning')
    const stuck = new InHand('totals', 1)
    stuck.handed(10, false, () => true)
    stuck.handed(1, false, () => true)
    const [warning] = (await warned) as [Error]
    clearInterval(alive)
    match(warning.message, /^Stage totals received 11 events, returned nothing from onEvents and .* \(return \[\]/)
  })

  it('D134: is not reported where it emitted meanwhile, or takes more again', async () => {
    const warnings: Error[] = []
    const listen = (warning: Error) => void warnings.push(warning)
    process.on('warning', listen)
    const busy = new InHand('busy', 1)
    busy.handed(10, false, () => true)
    busy.emitted()
    let isStuck = true
    const freed = new InHand('freed', 1)
    freed.handed(10, false, () => isStuck)
    isStuck = false
    // Timers of the same length end in their order: this one is behind both.
    await sleep(1)
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', listen)
    equal(warnings.length, 0)
  })
})
