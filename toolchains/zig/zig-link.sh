#!/bin/bash
# Links a program. zig's own driver refuses the linker's option that lets equal functions share their code. Where it
# is among the options, in the file that Bazel writes them to, zig links without it, and says how it calls its
# linker; this is repeated with the option, with equal ends of texts shared, too, and with the functions that
# run up to the first /next beside each other (tools/start_order.py).
driver="${BASH_SOURCE[0]%/*}/zig-c++.sh"
fold='-Wl,--icf=safe'
options="${!#}"
if [[ "$options" != @* ]] || ! grep -q -x -e "$fold" "${options#@}"; then
  exec "$driver" "$@"
fi
without="${options#@}.zig"
grep -v -x -e "$fold" "${options#@}" >"$without"
said=$("$driver" "${@:1:$#-1}" "@$without" -v 2>&1)
status=$?
rm "$without"
# Where its cache is empty zig also calls the linker for parts of the C library, with -r; the program comes last.
read -r -a link < <(grep '^ld\.lld ' <<<"$said" | grep -v -e ' -r ' | tail -n 1)
if ((status != 0 || ${#link[@]} == 0)); then
  echo "$said" >&2
  exit 1
fi
export ZIG_LIB_DIR=external/zig/lib
exec external/zig/zig "${link[@]}" --icf=safe -O2 --no-warnings --no-warn-symbol-ordering \
  --symbol-ordering-file="${BASH_SOURCE[0]%/*}/start_order.txt"
