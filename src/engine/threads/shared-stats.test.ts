import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Flow } from '../../flow/flow.ts'
import { layOut } from '../../flow/layout.ts'
import { SharedStats } from './shared-stats.ts'

const { node } = new Flow<number>().partition({ stages: 2 }).map((n) => n)
const topology = layOut(node, { stages: 2, input: [1] })
const work = { received: 1, emitted: 2, filtered: 6, derived: 7, demand: 3, buffered: 4, busyMs: 5.5 }

describe('SharedStats', () => {
  it('gives what another one on the same memory wrote, each stage its own', () => {
    const memory = SharedStats.memoryFor(topology)
    const [writer, reader] = [new SharedStats(topology, memory), new SharedStats(topology, memory)]
    const last = topology.layers.at(-1)?.number ?? 0
    writer.write(last, 1, { ...work, watermarkMs: -7 })
    writer.write(last, 0, work)
    deepEqual(reader.read(last), [work, { ...work, watermarkMs: -7 }])
  })

  it('has nothing of stages that nobody wrote of', () => {
    const stats = new SharedStats(topology, SharedStats.memoryFor(topology))
    deepEqual(stats.read(1)[0], { received: 0, emitted: 0, filtered: 0, derived: 0, demand: 0, buffered: 0, busyMs: 0 })
    deepEqual(stats.read(99), [])
  })
})
