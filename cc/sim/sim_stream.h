// A TCP connection of the simulation: the client's kernel, the path, and the peer's socket.
//
// The client holds a SimTransport; an implementation of SimStream::Peer drives the peer's side. The kernel's
// part runs while the client is frozen: bytes, FIN and RST are queued, as under SIGSTOP. A peer that forgot
// the connection sends nothing and answers the next segment with a reset; a path that is cut passes nothing
// in either direction.

#ifndef THAW_CC_SIM_SIM_STREAM_H_
#define THAW_CC_SIM_SIM_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cc/net/transport.h"
#include "cc/sim/sim_world.h"

namespace thaw {

class SimStream : public std::enable_shared_from_this<SimStream> {
 public:
  // The far end's reactions. Called outside the client, at the time a segment arrives there.
  class Peer {
   public:
    virtual ~Peer() = default;
    virtual void OnBytes(std::string_view bytes) = 0;
    // Called when the client ended or closed its side.
    virtual void OnEnd() = 0;
    // Returns a hash of the peer's state; only an exploration needs it.
    virtual uint64_t Fingerprint() const { return 0; }
  };

  SimStream(SimWorld& world, absl::Duration one_way)
      : world_(world), one_way_(one_way), number_(world.NextNumber()) {}

  void set_peer(std::unique_ptr<Peer> peer) { peer_ = std::move(peer); }
  Peer* peer() const { return peer_.get(); }

  // -- The peer's side. Each packet takes `one_way` to arrive.
  void PeerSend(std::string bytes);
  void PeerEnd();    // FIN; a segment that arrives afterwards is answered with a reset
  void PeerReset();  // RST
  // Forgets the connection without a packet.
  void PeerForget() { peer_gone_ = true; }
  // Cuts the path: nothing passes any more, in either direction.
  void CutPath() { cut_ = true; }
  // Makes the network answer again: a connection whose path was cut is answered with a reset, since the peer
  // has given it up, and a window that was closed opens.
  void Heal();
  // Sets how many more bytes the peer's window lets the client send; unlimited at first. Widening it lets a
  // pending write go on.
  void SetWindow(size_t bytes);
  // Sets how many bytes the client's kernel accepts at once; unlimited at first.
  void set_segment_bytes(size_t bytes) { segment_ = bytes; }

  // -- The client's side, used by SimTransport.
  void StartRead(absl::Span<char> into, Transport::Done done);
  void StartWrite(std::string_view from, Transport::Done done);
  IoResult TryRead(absl::Span<char> into);
  void Close();
  bool closed() const { return client_closed_; }
  // Unique among the connections and dials of a world, ascending.
  uint64_t number() const { return number_; }
  // Returns whether neither side has closed, reset or forgotten it and the path is whole.
  bool alive() const { return !client_closed_ && !peer_gone_ && !cut_; }
  // Returns whether a packet is on its way, or the client has not read what came.
  bool packets_under_way() const { return under_way_ > 0 || !inbound_.empty(); }
  // Returns a hash of the connection, both ends and the path, without the packets that are on their way.
  uint64_t Fingerprint() const;
  int64_t sent() const { return sent_; }
  int64_t received() const { return received_; }

 private:
  bool readable() const { return !inbound_.empty() || end_arrived_ || reset_arrived_; }
  IoResult Take(absl::Span<char> into);
  void CompleteRead();
  void CompleteWrite();
  // Templates, so that a packet is one function and one allocation.
  template <typename What>
  void ArriveFromPeer(What what, uint64_t hash);
  template <typename What>
  void SendToPeer(What what, uint64_t hash);
  void ClientSaw(uint64_t what, const IoResult& result, std::string_view bytes);
  void OnEndArrived();
  void OnResetArrived();
  void DeliverToPeer(std::string bytes);

  SimWorld& world_;
  const absl::Duration one_way_;
  const uint64_t number_;
  std::unique_ptr<Peer> peer_;
  int under_way_ = 0;

  // The client's kernel.
  std::string inbound_;
  bool end_arrived_ = false;
  bool reset_arrived_ = false;
  bool client_closed_ = false;
  absl::Span<char> read_into_;
  Transport::Done read_done_;
  std::string_view write_from_;
  Transport::Done write_done_;
  int64_t sent_ = 0;
  int64_t received_ = 0;

  // The path and the peer's kernel.
  bool cut_ = false;
  bool peer_gone_ = false;
  size_t window_ = SIZE_MAX;
  size_t segment_ = SIZE_MAX;
};

// The client's end.
class SimTransport : public Transport {
 public:
  explicit SimTransport(std::shared_ptr<SimStream> stream) : stream_(std::move(stream)) {}
  ~SimTransport() override { stream_->Close(); }

  void StartRead(absl::Span<char> into, Done done) override { stream_->StartRead(into, std::move(done)); }
  void StartWrite(std::string_view from, Done done) override { stream_->StartWrite(from, std::move(done)); }
  IoResult TryRead(absl::Span<char> into) override { return stream_->TryRead(into); }
  void Close() override { stream_->Close(); }
  int64_t wire_bytes_sent() const override { return stream_->sent(); }
  int64_t wire_bytes_received() const override { return stream_->received(); }

 private:
  const std::shared_ptr<SimStream> stream_;
};

}  // namespace thaw

#endif  // THAW_CC_SIM_SIM_STREAM_H_
