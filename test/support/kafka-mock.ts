// A Kafka cluster in a process of its own: the one that librdkafka has for its own tests, which speaks the protocol.

import koffi from 'koffi'

/** What the parent may ask for. */
export type MockCommand =
  | { readonly kind: 'topic'; readonly topic: string; readonly partitions: number }
  | { readonly kind: 'down' | 'up'; readonly server: number }
  | { readonly kind: 'leader'; readonly topic: string; readonly partition: number; readonly server: number }
  | { readonly kind: 'errors'; readonly api: number; readonly codes: readonly number[] }
  | { readonly kind: 'topic-error'; readonly topic: string; readonly code: number }
  | { readonly kind: 'coordinator'; readonly group: string; readonly server: number }

const [servers = '1'] = process.argv.slice(2)
const library = koffi.load('librdkafka.so.1')
const client = koffi.pointer('rd_kafka_t', koffi.opaque('rd_kafka_handle'))
const cluster = koffi.pointer('rd_kafka_mock_cluster_t', koffi.opaque('rd_kafka_mock_cluster_handle'))
const PRODUCER = 0

const create = library.func('rd_kafka_new', client, ['int', 'void *', 'char *', 'size_t'])
const createCluster = library.func('rd_kafka_mock_cluster_new', cluster, [client, 'int'])
const addresses = library.func('rd_kafka_mock_cluster_bootstraps', 'str', [cluster])
const createTopic = library.func('rd_kafka_mock_topic_create', 'int', [cluster, 'str', 'int', 'int'])
const setDown = library.func('rd_kafka_mock_broker_set_down', 'int', [cluster, 'int32_t'])
const setUp = library.func('rd_kafka_mock_broker_set_up', 'int', [cluster, 'int32_t'])
const setLeader = library.func('rd_kafka_mock_partition_set_leader', 'int', [cluster, 'str', 'int32_t', 'int32_t'])
const setError = library.func('rd_kafka_mock_topic_set_error', 'void', [cluster, 'str', 'int'])
const setCoordinator = library.func('rd_kafka_mock_coordinator_set', 'int', [cluster, 'str', 'str', 'int32_t'])
const pushErrors = library.func('rd_kafka_mock_push_request_errors_array', 'void', [
  cluster,
  'int16_t',
  'size_t',
  'int *',
])

const mock: unknown = createCluster(create(PRODUCER, null, null, 0), Number(servers))

function run(command: MockCommand): number {
  switch (command.kind) {
    case 'topic':
      return Number(createTopic(mock, command.topic, command.partitions, 1))
    case 'down':
      return Number(setDown(mock, command.server))
    case 'up':
      return Number(setUp(mock, command.server))
    case 'leader':
      return Number(setLeader(mock, command.topic, command.partition, command.server))
    case 'coordinator':
      return Number(setCoordinator(mock, 'group', command.group, command.server))
    case 'topic-error':
      setError(mock, command.topic, command.code)
      return 0
    case 'errors':
      pushErrors(mock, command.api, command.codes.length, Int32Array.from(command.codes))
      return 0
  }
}

process.on('message', (command: MockCommand) => process.send?.({ answer: run(command) }))
process.on('disconnect', () => process.exit())
process.send?.({ addresses: addresses(mock) })
