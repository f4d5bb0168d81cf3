# Functions for the tools: --help counts wherever it stands, and neither sets up nor builds anything.

# Returns whether --help or -h is among the arguments before a `--`; arguments after it are another program's.
asks_for_help() {
  local argument
  for argument in "$@"; do
    case $argument in
      --) return 1 ;;
      --help | -h) return 0 ;;
    esac
  done
  return 1
}

# Prints the help of a Python tool, named as a module, by the first Python that is there, and exits.
show_help_of() {
  local python
  for python in .venv/bin/python python3; do
    ! command -v "$python" >/dev/null || exec "$python" -m "$1" --help
  done
  echo "$1 has --help; tools/setup installs the Python that prints it"
  exit 0
}
