// A load of part files in a process of its own, to be killed. Arguments: folder, how many numbers, how many in an epoch.

import { isSluiceError } from 'sluice'
import { writeNumbers } from '../support/number-load.ts'

const [folder = '', count = '0', perEpoch = '1'] = process.argv.slice(2)

try {
  await writeNumbers({ folder, count: Number(count), perEpoch: Number(perEpoch) })
} catch (error) {
  if (!isSluiceError(error)) throw error
  console.error(`${error.code}: ${error.message}`)
  process.exitCode = 74
}
