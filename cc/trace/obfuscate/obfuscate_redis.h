// Redis and Valkey commands without what they store.
//
//   std::string text;
//   QuantizeRedisCommands("SET user:1 secret\nconfig get maxmemory", text);  // "SET CONFIG GET"
//   ObfuscateRedisCommands("SET user:1 secret EX 60", text);                 // "SET user:1 ? EX 60"
//
// A text has one command a line, its words parted by blanks; a word that begins with '"' goes to the next '"'
// that no backslash precedes, over blanks and line ends. One pass, no allocation but the growth of `out`,
// whose content is replaced and in which the text must not lie.
//
// Source: the public behaviour of the Datadog agent's Redis obfuscation.

#ifndef THAW_CC_TRACE_OBFUSCATE_OBFUSCATE_REDIS_H_
#define THAW_CC_TRACE_OBFUSCATE_OBFUSCATE_REDIS_H_

#include <string>
#include <string_view>

namespace thaw {

// The names of the first 3 commands in upper case, "CONFIG GET" and its like with both words. " ..." follows
// where there are 3, or where a tracer has cut the last name ("GE..."). A first word that can be no name of a
// command is '?': it may be a line of a value.
void QuantizeRedisCommands(std::string_view commands, std::string& out);

// The commands, a line each, with '?' in place of arguments that are values, members or passwords. Commands
// that the agent does not know stay as they are.
void ObfuscateRedisCommands(std::string_view commands, std::string& out);

}  // namespace thaw

#endif  // THAW_CC_TRACE_OBFUSCATE_OBFUSCATE_REDIS_H_
