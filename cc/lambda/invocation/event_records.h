// Finds the records of an event, and the parts of a record that several readers of events need.
//
//   const boost::json::value* record = KnownRecord(event);
//   if (record != nullptr && SourceOfRecord(*record) == RecordSource::kSqs) ...
//
// AWS's library for Java names some members in its own way, and so do events made from its classes; each function
// here accepts both names.

#ifndef THAW_CC_LAMBDA_INVOCATION_EVENT_RECORDS_H_
#define THAW_CC_LAMBDA_INVOCATION_EVENT_RECORDS_H_

#include <string_view>

#include "boost/json/value.hpp"

namespace thaw {

// The sources of records.
enum class RecordSource { kSqs, kSns, kDynamoDb, kS3, kKinesis, kUnknown };

// Returns the source of one of an event's records.
RecordSource SourceOfRecord(const boost::json::value& record);

// Returns an event's list of records; null if there is none.
const boost::json::value* RecordsOf(const boost::json::value& event);

// Returns the first record of a known source, which stands for all; null if there is none.
const boost::json::value* KnownRecord(const boost::json::value& event);

// Returns the first record of a Kafka event, whatever its group is called. The record must have a topic, or
// the event must name Kafka as its source. Null if there is none.
const boost::json::value* MskRecord(const boost::json::value& event);

// Returns the topic's message in a record of SNS; null if there is none.
const boost::json::value* NotificationOf(const boost::json::value& record);

// Returns whether a queue's body is a topic's message.
bool IsSnsMessage(const boost::json::value& message);

// Returns the ARN of the source of a record; empty if there is none.
std::string_view ArnOf(const boost::json::value& record);

// Returns the kind of an event of a bus; empty if there is none.
std::string_view DetailTypeOf(const boost::json::value& event);

// Returns whether an event is one that a program put on a bus. The member `detail` distinguishes an event without a
// source from other objects with a type.
bool IsEventOfBus(const boost::json::value& event);

// Returns the sender's context in a bus's event, JSON; null if there is none.
boost::json::value DatadogOfDetail(const boost::json::value& event);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_EVENT_RECORDS_H_
