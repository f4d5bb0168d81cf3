// Parses how /etc/resolv.conf completes names and whether servers take turns (resolv.conf(5)).
//
//   const ResolvConf conf = ParseResolvConf("search corp.example\noptions ndots:2\n");
//   NamesToAsk("intake", conf);   // "intake.corp.example.", "intake."
//
// The DNS library reads its servers, time-outs and transport; RES_OPTIONS may override the latter two.
// LOCALDOMAIN, and what RES_OPTIONS says about names, are not read. Pure.

#ifndef THAW_CC_NET_IO_RESOLV_CONF_H_
#define THAW_CC_NET_IO_RESOLV_CONF_H_

#include <string>
#include <string_view>
#include <vector>

namespace thaw {

struct ResolvConf {
  std::vector<std::string> search;  // without dots at either end
  int ndots = 1;
  bool rotate = false;
};

// Ignores unknown lines, as other resolvers do.
ResolvConf ParseResolvConf(std::string_view text);

// Returns the absolute names, with final dots, that `host` may stand for, in the order in which to ask for
// them. A host that ends in a dot is absolute itself.
std::vector<std::string> NamesToAsk(std::string_view host, const ResolvConf& conf);

}  // namespace thaw

#endif  // THAW_CC_NET_IO_RESOLV_CONF_H_
