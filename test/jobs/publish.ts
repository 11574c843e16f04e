// Publishes the lines of a file to a broker. Parameters: input, url, out; qos of MQTT.

import { checkpointed, lines, param, pipeline } from 'sluice'
import { kafkaSink } from 'sluice/kafka'
import { mqttSink } from 'sluice/mqtt'
import { natsSink } from 'sluice/nats'
import { rabbitmqSink } from 'sluice/rabbitmq'

const SINKS = {
  kafka: (url: string) => kafkaSink<string>(url.split(' '), { topic: 'lines', payload: String, key: (line) => line }),
  nats: (url: string) => natsSink<string>(url, { subject: 'lines', payload: String, id: (line) => line }),
  amqp: (url: string) => rabbitmqSink<string>(url, { routingKey: 'lines', payload: String, id: (line) => line }),
  mqtt: (url: string, qos: 1 | 2) => mqttSink<string>(url, { topic: 'lines', payload: String, qos }),
}

export default pipeline('publish', {
  params: {
    input: param.string('in.log'),
    url: param.string('nats://localhost'),
    out: param.string('state.db'),
    qos: param.choice(['1', '2'], '1'),
  },
  from: ({ input }) => lines(input),
  into: ({ url, out, qos }) => {
    const scheme = url.split(':', 1)[0] as keyof typeof SINKS
    return checkpointed(SINKS[scheme](url, qos === '2' ? 2 : 1), { store: out })
  },
})
