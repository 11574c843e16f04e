// Publishes the lines of a file to a broker. Parameters: input, url, out; qos of MQTT.

import { checkpointed, lines, param, pipeline } from 'sluice'
import { kafkaPublish } from 'sluice/kafka'
import { mqttPublish } from 'sluice/mqtt'
import { natsPublish } from 'sluice/nats'
import { rabbitmqPublish } from 'sluice/rabbitmq'

const SINKS = {
  kafka: (url: string) =>
    kafkaPublish<string>(url.split(' '), { topic: 'lines', payload: String, key: (line) => line }),
  nats: (url: string) => natsPublish<string>(url, { subject: 'lines', payload: String, id: (line) => line }),
  amqp: (url: string) => rabbitmqPublish<string>(url, { routingKey: 'lines', payload: String, id: (line) => line }),
  mqtt: (url: string, qos: 1 | 2) => mqttPublish<string>(url, { topic: 'lines', payload: String, qos }),
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
