// The tags of a span that name its peer; stats of calls are kept apart by them.
//
//   if (std::optional<size_t> tag = PeerTagOf("db.instance")) Use(kPeerTags[*tag]);

#ifndef THAW_CC_STATS_PEER_TAGS_H_
#define THAW_CC_STATS_PEER_TAGS_H_

#include <cstddef>
#include <optional>
#include <string_view>

namespace thaw {

// The tags that the agent uses, sorted.
inline constexpr std::string_view kPeerTags[] = {
    "_dd.base_service",
    "active_record.db.vendor",
    "amqp.destination",
    "amqp.exchange",
    "amqp.queue",
    "aws.queue.name",
    "aws.s3.bucket",
    "bucketname",
    "cassandra.keyspace",
    "db.cassandra.contact.points",
    "db.couchbase.seed.nodes",
    "db.hostname",
    "db.instance",
    "db.name",
    "db.namespace",
    "db.system",
    "db.type",
    "dns.hostname",
    "grpc.host",
    "hostname",
    "http.host",
    "http.server_name",
    "messaging.destination",
    "messaging.destination.name",
    "messaging.kafka.bootstrap.servers",
    "messaging.rabbitmq.exchange",
    "messaging.system",
    "mongodb.db",
    "msmq.queue.path",
    "net.peer.name",
    "network.destination.ip",
    "network.destination.name",
    "out.host",
    "peer.hostname",
    "peer.service",
    "queuename",
    "rpc.service",
    "rpc.system",
    "sequel.db.vendor",
    "server.address",
    "streamname",
    "tablename",
    "topicname",
};

// Returns the index of `key` in kPeerTags.
std::optional<size_t> PeerTagOf(std::string_view key);

}  // namespace thaw

#endif  // THAW_CC_STATS_PEER_TAGS_H_
