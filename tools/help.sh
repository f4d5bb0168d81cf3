# Sourced by the tools: help is asked for wherever it stands, and neither sets up nor builds anything.

# Whether --help or -h is among the arguments, up to a `--`: what follows that belongs to another program.
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

# Ends with the help of one of the Python tools, which is named as a module, by whatever Python there is.
show_help_of() {
  local python
  for python in .venv/bin/python python3; do
    ! command -v "$python" >/dev/null || exec "$python" -m "$1" --help
  done
  echo "$1 has --help; tools/setup installs the Python that prints it"
  exit 0
}
