// Every entry point imports this first: an older Node prints a clear message instead of the first missing feature.

import { unfit } from './needed-node.ts'

if (unfit !== undefined) throw new Error(unfit)
