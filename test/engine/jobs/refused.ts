// Everything that an engine refuses, in one pipeline.

import { callbackSink, checkpointed, count, countWindow, pipeline, ticksSource } from 'sluice'

export default pipeline('refused', {
  from: () => ticksSource(1000),
  flow: (ticks) =>
    ticks
      .mapAsync(async (tick) => tick, { ratePerSecond: 2 })
      .keyBy(() => 'all')
      .window(countWindow(10))
      .aggregate({ n: count() }),
  into: () =>
    checkpointed(
      callbackSink('nowhere', () => {}),
      { store: 'never-opened.db' },
    ),
  results: 'append',
})
