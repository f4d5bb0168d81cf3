// Reads from /etc/resolv.conf how names are completed and whether servers take turns (resolv.conf(5)).
//
//   const ResolvConf conf = ParseResolvConf("search corp.example\noptions ndots:2\n");
//   NamesToAsk("intake", conf);   // "intake.corp.example.", "intake."
//
// Its servers, time-outs and transport are read by the DNS library, which lets RES_OPTIONS override the
// latter two; LOCALDOMAIN and what RES_OPTIONS says of names are not read. Pure.

#ifndef THAW_CC_NET_IO_RESOLV_CONF_H_
#define THAW_CC_NET_IO_RESOLV_CONF_H_

#include <string>
#include <string_view>
#include <vector>

namespace thaw {

struct ResolvConf {
  std::vector<std::string> search;  // without dots about them
  int ndots = 1;
  bool rotate = false;
};

// Lines that say nothing known are passed over, as other resolvers do.
ResolvConf ParseResolvConf(std::string_view text);

// The absolute names, with their final dots, that may be meant by `host`, in the order in which they are
// asked for. A host that ends in a dot is absolute itself.
std::vector<std::string> NamesToAsk(std::string_view host, const ResolvConf& conf);

}  // namespace thaw

#endif  // THAW_CC_NET_IO_RESOLV_CONF_H_
