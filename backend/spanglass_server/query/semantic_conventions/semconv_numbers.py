"""Keys whose values the semantic conventions say are numbers, old names and new ones.

SQL relies on it: a sender that writes such a number as text must not turn the column into text for everybody.
"""

from __future__ import annotations

_INTEGERS = """
aws.dynamodb.count aws.dynamodb.limit aws.dynamodb.scanned_count aws.dynamodb.segment aws.dynamodb.table_count
aws.dynamodb.total_segments aws.s3.part_number
azure.cosmosdb.request.body.size azure.cosmosdb.response.sub_status_code
cassandra.page.size cassandra.speculative_execution.count
client.port code.column code.column.number code.line.number code.lineno
cpu.logical_number cpython.gc.generation
db.cassandra.page_size db.cassandra.speculative_execution_count
db.cosmosdb.request_content_length db.cosmosdb.status_code db.cosmosdb.sub_status_code
db.operation.batch.size db.redis.database_index db.response.returned_rows destination.port
faas.max_memory file.size
gen_ai.request.choice.count gen_ai.request.max_tokens gen_ai.request.seed
gen_ai.usage.completion_tokens gen_ai.usage.input_tokens gen_ai.usage.output_tokens gen_ai.usage.prompt_tokens
host.cpu.cache.l2.size
http.request.body.size http.request.resend_count http.request.size http.request_content_length
http.request_content_length_uncompressed http.resend_count
http.response.body.size http.response.size http.response.status_code http.response_content_length
http.response_content_length_uncompressed http.status_code
k8s.container.restart_count
message.compressed_size message.id message.uncompressed_size
messaging.batch.message_count messaging.eventhubs.message.enqueued_time
messaging.gcp_pubsub.message.ack_deadline messaging.gcp_pubsub.message.delivery_attempt
messaging.kafka.destination.partition messaging.kafka.message.offset messaging.kafka.offset messaging.kafka.partition
messaging.message.body.size messaging.message.envelope.size
messaging.message.payload_compressed_size_bytes messaging.message.payload_size_bytes
messaging.message_payload_compressed_size_bytes messaging.message_payload_size_bytes
messaging.rabbitmq.message.delivery_tag messaging.rocketmq.message.delay_time_level
messaging.rocketmq.message.delivery_timestamp
messaging.servicebus.message.delivery_count messaging.servicebus.message.enqueued_time
net.host.port net.peer.port net.sock.host.port net.sock.peer.port network.local.port network.peer.port
onc_rpc.procedure.number onc_rpc.version
process.exit.code process.group_leader.pid process.parent_pid process.pid process.real_user.id process.saved_user.id
process.session_leader.pid process.user.id process.vpid
rpc.grpc.status_code rpc.jsonrpc.error_code rpc.message.compressed_size rpc.message.id rpc.message.uncompressed_size
server.port source.port system.cpu.logical_number thread.id url.port
"""

_DOUBLES = """
aws.dynamodb.provisioned_read_capacity aws.dynamodb.provisioned_write_capacity
azure.cosmosdb.operation.request_charge db.cosmosdb.request_charge
gen_ai.evaluation.score.value gen_ai.request.frequency_penalty gen_ai.request.presence_penalty
gen_ai.request.temperature gen_ai.request.top_k gen_ai.request.top_p
geo.location.lat geo.location.lon
"""

#: Of each such key the DuckDB type of its values.
NUMBERS = dict.fromkeys(_INTEGERS.split(), "BIGINT") | dict.fromkeys(_DOUBLES.split(), "DOUBLE")
