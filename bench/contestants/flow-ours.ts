// Runs one of the flows: flow-ours.ts MODULE NAME INPUT THREADS EVENTS. Threads 0: in this thread.

import { collect } from 'sluice'
import { answerOf } from './flow-answer.ts'
import { report, takenSoFar } from './measure.ts'

const [file = '', name = 'empty', input = '', threads = '0', events = '1'] = process.argv.slice(2)
process.env.INPUT = input
process.env.EVENTS = events

const module = new URL(file, import.meta.url)
const before = performance.now()
const rows =
  threads === '0'
    ? await collect((await import(module.href))[name])
    : await collect(module, { threads: Number(threads), name })
const seconds = (performance.now() - before) / 1000
const taken = takenSoFar()
report(seconds, await answerOf(name, rows, Number(events)), taken)
