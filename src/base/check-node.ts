// Each door imports this first: an older Node gets a sentence, not the first thing that it lacks.

import { unfit } from './needed-node.ts'

if (unfit !== undefined) throw new Error(unfit)
