// Loads what is sent by syslog into SQLite. Parameters: port, for TCP and UDP, and out.

import { param, pipeline, sqliteSink, syslogSource } from 'sluice'

export default pipeline('syslog', {
  params: { port: param.number(0), out: param.string('out.db') },
  from: ({ port }) => syslogSource({ udp: port, tcp: port }),
  into: ({ out }) => sqliteSink(out, { table: 'messages' }),
})
