#!/bin/sh
# An OCI runtime for machines whose root user lacks CAP_SYS_RESOURCE (many CI sandboxes): there runc can't grant
# that capability to a container, so `--privileged` fails. This deletes it from what the container asks for, in the
# bundle's config.json (create, run) or the process file (exec), and hands over to runc. It only ever lowers rights.
drop() {
  [ -f "$1" ] || return 0
  sed -e 's/"CAP_SYS_RESOURCE"[[:space:]]*,[[:space:]]*//g' \
    -e 's/,[[:space:]]*"CAP_SYS_RESOURCE"//g' \
    -e 's/"CAP_SYS_RESOURCE"//g' "$1" >"$1.berth" && cat "$1.berth" >"$1"
  rm -f "$1.berth"
}

previous=
for argument in "$@"; do
  case "$previous" in
    --bundle | -b) drop "$argument/config.json" ;;
    --process | -p) drop "$argument" ;;
  esac
  case "$argument" in
    --bundle=*) drop "${argument#*=}/config.json" ;;
    --process=*) drop "${argument#*=}" ;;
  esac
  previous=$argument
done
exec runc "$@"
