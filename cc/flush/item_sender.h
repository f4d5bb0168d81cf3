// Sends the outbox's items, one call each, and carries out the verdict on each result: the item is delivered,
// split, sent with another key, dropped or kept.
//
//   ItemSender sender(context);
//   for (Outbox::Item& item : outbox.Take()) {
//     Task<bool> sending = sender.Send(run, group, std::move(item));
//     const bool delivered = co_await std::move(sending);
//   }
//
// Pure functions decide (send_verdict.h; peers_rules.h for the emulation of peers); the sender records their
// verdicts in outbox, ledger, report and log. One thread: the executor's. The sender, the run and the
// group must outlive the task.

#ifndef THAW_CC_FLUSH_ITEM_SENDER_H_
#define THAW_CC_FLUSH_ITEM_SENDER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cc/base/task.h"
#include "cc/flush/destination_group.h"
#include "cc/flush/drop_reason.h"
#include "cc/flush/encoded_request.h"
#include "cc/flush/endpoint.h"
#include "cc/flush/flush_report.h"
#include "cc/flush/flush_run.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/outage_budget.h"
#include "cc/flush/outbox.h"
#include "cc/flush/payload_ledger.h"
#include "cc/flush/peers_options.h"
#include "cc/flush/send_verdict.h"
#include "cc/net/client.h"
#include "cc/net/http_message.h"

namespace thaw {

class ItemSender {
 public:
  // The maximum number of tries of a request, over all flushes, after which the intake may have it.
  static constexpr int kMostAmbiguous = 4;

  // Returns the bodies into which a request is split after a 413; fewer than two if it can't be split.
  using Splitter =
      std::function<std::vector<std::shared_ptr<const std::string>>(const EncodedRequest& request)>;

  // All parts must outlive the sender. Items lent by the outbox are counted in the ledger.
  struct Context {
    Client& client;
    const FlusherOptions& options;
    const PeersOptions* peers;  // nullptr in production
    const std::string& name;    // the flusher's, for the log
    const std::vector<Endpoint>& endpoints;
    Outbox& outbox;
    PayloadLedger& ledger;
    OutageBudget& outage;
  };

  explicit ItemSender(const Context& context) : context_(context) {}
  ItemSender(const ItemSender&) = delete;
  ItemSender& operator=(const ItemSender&) = delete;

  void set_splitter(Splitter splitter) { splitter_ = std::move(splitter); }

  // Sends a lent item, and ends it or returns it to the outbox. Returns true if all of it was delivered.
  Task<bool> Send(FlushRun& run, DestinationGroup& group, Outbox::Item item);

  // Returns a lent item that could not be delivered to the outbox, or drops it if the options keep nothing.
  void Keep(FlushRun& run, Outbox::Item item);
  // Counts an item, which the caller is to send, as lent and kept.
  void AddLent(const Outbox::Item& item);
  // Counts an item that the outbox has evicted.
  void OnEvicted(const Outbox::Item& item, FlushReport& report);

  const PeersOptions* peers() const { return context_.peers; }

 private:
  Task<bool> SendPieces(FlushRun& run, DestinationGroup& group, std::vector<Outbox::Item> pieces);
  // Gives the client one request made of the item.
  Task<SendResult> SendOnce(FlushRun& run, DestinationGroup& group, const Outbox::Item& item,
                            const std::string& key);
  HttpRequest MakeRequest(const Outbox::Item& item, const std::string& key) const;
  Task<void> LookUpKey(FlushRun& run, DestinationGroup& group, size_t endpoint);
  // Looks the key up unless it has changed meanwhile. Returns true, and sets `key`, if there is another one.
  Task<bool> RenewKey(FlushRun& run, DestinationGroup& group, size_t endpoint, std::string& key);
  SendVerdict Decide(const SendResult& result, const SendTried& tried) const;
  // Records the client's result, whatever happens to the item.
  void Note(FlushRun& run, DestinationGroup& group, Outbox::Item& item, const SendResult& result);
  // Replaces an item by its pieces, which are returned; empty if it can't be split.
  std::vector<Outbox::Item> Split(FlushRun& run, const Outbox::Item& item);

  // Carries out a verdict that ends the item's part in this flush.
  void CarryOut(FlushRun& run, DestinationGroup& group, Outbox::Item item, const SendVerdict& verdict,
                const SendResult& result);
  void Deliver(FlushRun& run, const Outbox::Item& item);
  void Drop(FlushRun& run, const Outbox::Item& item, DropReason reason);
  void CountDropped(const Outbox::Item& item, DropReason reason, FlushReport& report);
  void LogNotice(FlushRun& run, const Outbox::Item& item, const SendVerdict& verdict,
                 const SendResult& result);
  void LogError(FlushRun& run, std::string line);
  void LogMissingKey(size_t endpoint);
  // Returns true the first time that it is asked for `what`.
  bool IsFirst(std::string what) { return logged_.insert(std::move(what)).second; }

  const Context context_;
  Splitter splitter_;
  std::set<std::string> logged_;  // the lines that are logged once only
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_ITEM_SENDER_H_
