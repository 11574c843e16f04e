// Live readings of hundreds of sensors: what each measures per minute, and where it is too hot. With a broker, a house
// of sensors, and pictures: npm run demo:sensors

import { duration, fanOut, json, param, pipeline, sqliteSink } from 'sluice'
import { mqttSource } from 'sluice/mqtt'
import { type Climate, climate } from './sensors/climate.ts'

export default pipeline('sensors', {
  about: 'Sums up the readings of sensors by the minute, in °F, and reports those that are too hot',
  params: {
    broker: param.string('mqtt://localhost', 'the MQTT broker'),
    db: param.string('sensors.db', 'SQLite database for the table climate'),
    alerts: param.string('alerts.db', 'SQLite database for the table alerts'),
    window: param.string('1m', 'the length of a window'),
    late: param.string('40s', 'how far behind the latest reading others may be'),
    limit: param.number(90, '°F above which there is an alert'),
  },
  // Messages are acknowledged after the commit: a crash loses none, and one that is sent twice is loaded once.
  from: ({ broker }) => mqttSource(broker, json(), { topics: 'sensors/+/reading', clientId: 'sluice-sensors' }),
  flow: (readings, { window, late }) => climate(readings, duration(window), duration(late)),
  into: ({ db, alerts, limit }) =>
    fanOut<Climate>(sqliteSink(db, { table: 'climate', key: ['sensor', 'start'] }), {
      spool: `${db}.spool`,
      branches: {
        alerts: {
          into: sqliteSink(alerts, { table: 'alerts', key: ['sensor', 'start'] }),
          where: ({ maxF }) => (maxF ?? 0) > limit,
        },
      },
    }),
})
