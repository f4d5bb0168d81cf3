// Removes stored values from Redis and Valkey commands.
//
//   std::string text;
//   QuantizeRedisCommands("SET user:1 secret\nconfig get maxmemory", text);  // "SET CONFIG GET"
//   ObfuscateRedisCommands("SET user:1 secret EX 60", text);                 // "SET user:1 ? EX 60"
//
// A text has one command a line, its words separated by blanks; a word that begins with '"' extends to the
// next '"' that no backslash precedes, across blanks and line ends. The functions work in one pass, allocate
// nothing but the growth of `out`, and replace its content; the text must not lie in `out`.
//
// Source: the public behaviour of the Datadog agent's Redis obfuscation.

#ifndef THAW_CC_TRACE_OBFUSCATE_OBFUSCATE_REDIS_H_
#define THAW_CC_TRACE_OBFUSCATE_OBFUSCATE_REDIS_H_

#include <string>
#include <string_view>

namespace thaw {

// Writes the names of the first 3 commands in upper case; "CONFIG GET" and its like keep both words. " ..."
// follows if there are 3, or if a tracer has cut the last name ("GE..."). A first word that can't be a
// command's name becomes '?': it may be a line of a value.
void QuantizeRedisCommands(std::string_view commands, std::string& out);

// Writes the commands, one a line, with '?' in place of arguments that are values, members or passwords.
// Commands that the agent does not know stay as they are.
void ObfuscateRedisCommands(std::string_view commands, std::string& out);

}  // namespace thaw

#endif  // THAW_CC_TRACE_OBFUSCATE_OBFUSCATE_REDIS_H_
