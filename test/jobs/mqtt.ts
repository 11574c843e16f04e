// Loads messages of an MQTT broker, that are numbers, into SQLite; ends when so many are there. Parameters: url, out, topics.

import { json, mqtt, param, pipeline, sqlite } from 'sluice'

export default pipeline('mqtt', {
  params: {
    url: param.string('mqtt://localhost'),
    out: param.string('out.db'),
    qos: param.number(1),
  },
  from: ({ url, qos }) =>
    mqtt(url, json<{ n: number }>(), {
      topics: 'numbers/#',
      clientId: 'loader',
      qos: qos as 0 | 1 | 2,
      event: ({ n }, { topic }) => ({ n, topic }),
    }),
  into: ({ out }) => sqlite<{ n: number; topic: string }>(out, { table: 'numbers' }),
})
