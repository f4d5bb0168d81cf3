#include "cc/flush/peers_rules.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cc/net/exchange_failure.h"

namespace thaw {

SendVerdict DecideSendAsPeers(const FlusherOptions& options, const PeersOptions& peers,
                              const SendResult& result, const SendTried& tried) {
  const bool refused_for_good = result.last_class == RetryClass::kRefusedForGood;
  const bool refused = refused_for_good || result.last_class == RetryClass::kRefusedForNow;
  if (refused && !result.accepted && peers.retry_all_statuses) {
    // The client has retried what is refused for now; other refusals are retried here, as often.
    if (refused_for_good && tried.sends < tried.most_sends && !tried.ended)
      return {.action = SendAction::kSendAgain};
    return {.action = SendAction::kDrop,  // the peers' client takes this for success
            .reason = DropReason::kRefused,
            .notice = SendNotice::kPeersStatus,
            .refused_status = StatusOf(result)};
  }
  SendVerdict verdict = DecideSend(options, result, tried);
  if (verdict.notice == SendNotice::kRefused && !peers.drop_refused)
    return {.action = SendAction::kKeep, .denied = verdict.denied};
  if (verdict.action == SendAction::kKeep && !refused_for_good && peers.on_failure != OnFailure::kKeep)
    verdict.notice = SendNotice::kPeersFailure;
  return verdict;
}

std::optional<DropReason> PeersDropReason(OnFailure on_failure, bool redrives, bool last) {
  if (redrives) return DropReason::kRedriveFailed;
  if (on_failure == OnFailure::kRedriveAtShutdown && !last) return std::nullopt;
  return DropReason::kDiscarded;
}

std::string PeersStatusLine(int status, const Endpoint& endpoint) {
  return absl::StrCat("Max retries exceeded, returning HTTP error: status ", status, " from ",
                      endpoint.ToString());
}

std::array<std::string, 2> PeersFailureLines(const SendResult& result, std::string_view pipeline) {
  return {absl::StrCat("Max retries exceeded, returning request error: ",
                       result.failures.empty() ? "cancelled" : result.failures.back().ToString()),
          absl::StrCat(absl::AsciiStrToUpper(pipeline), " | Request failed: No requests sent")};
}

}  // namespace thaw
