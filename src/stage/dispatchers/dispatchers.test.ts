import { dispatcherConformance } from '../../testing/conformance/dispatcher.ts'
import { broadcast } from './broadcast.ts'
import { demand } from './demand.ts'
import { fair } from './fair.ts'
import { DROP, partition } from './partition.ts'
import { priority } from './priority.ts'

dispatcherConformance({ name: 'demand', make: () => demand(), gives: 'to-one' })
dispatcherConformance({ name: 'shuffled demand', make: () => demand({ shuffle: () => 0.3 }), gives: 'to-one' })
dispatcherConformance({ name: 'fair', make: () => fair(), gives: 'to-one' })
dispatcherConformance({ name: 'fair by threes', make: () => fair({ slice: 3 }), gives: 'to-one' })
dispatcherConformance({
  name: 'priority',
  make: () => priority(),
  gives: 'to-one',
  options: (place) => ({ priority: place % 3 }),
})
dispatcherConformance({ name: 'broadcast', make: () => broadcast(), gives: 'to-all' })
dispatcherConformance({
  name: 'choosy broadcast',
  make: () => broadcast<number>(),
  gives: 'to-all',
  options: (place) => ({ selector: (event) => event % 4 !== place }),
  refuses: (event, place) => event % 4 === place,
})
dispatcherConformance({
  name: 'partition',
  make: () => partition<number>({ partitions: 4 }),
  gives: 'to-one',
  options: (place) => ({ partition: place }),
})
dispatcherConformance({
  name: 'partition that drops',
  make: () => partition<number>({ partitions: 3, hash: (event) => (event % 4 === 3 ? DROP : event % 4) }),
  gives: 'to-one',
  places: 3,
  options: (place) => ({ partition: place }),
  drops: (event) => event % 4 === 3,
})
dispatcherConformance({
  name: 'partition that holds little',
  make: () => partition<number>({ partitions: 4, holdEvents: 3 }),
  gives: 'to-one',
  options: (place) => ({ partition: place }),
  holdEvents: 3,
})
