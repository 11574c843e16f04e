// Loads messages of an MQTT broker, that are numbers, into SQLite; ends when so many are there. Parameters: url, out, client, qos.

import { json, param, pipeline, sqliteSink } from 'sluice'
import { mqttSource } from 'sluice/mqtt'

export default pipeline('mqtt', {
  params: {
    url: param.string('mqtt://localhost'),
    out: param.string('out.db'),
    client: param.string('loader'),
    qos: param.number(1),
  },
  from: ({ url, client, qos }) =>
    mqttSource(url, json<{ n: number }>(), {
      topics: 'numbers/#',
      clientId: client,
      qos: qos as 0 | 1 | 2,
      event: ({ n }, { topic }) => ({ n, topic }),
    }),
  into: ({ out }) => sqliteSink<{ n: number; topic: string }>(out, { table: 'numbers' }),
})
