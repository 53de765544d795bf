#!/usr/bin/env bash
# Runs a command with Swift 6 in the InnSyncKit package:
#
#   ios/swift-run.sh swift test
#
# Where the machine has Swift 6 itself, that is used. Else the command runs in the Debian system that install-swift.sh
# made (as root: it mounts what the command needs, in a mount namespace of its own, so that nothing stays mounted).
# Inside, the folder `ios` has the path that it has outside; INNSYNC_SERVER (a program) and INNSYNC_SCENARIOS (a folder,
# with the folder `vectors` beside it) are passed on and can be read there too. Temporary files are forgotten afterwards.
set -euo pipefail

IOS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
PACKAGE=$IOS/InnSyncKit
if [ "$#" -eq 0 ]; then
  echo "usage: $0 COMMAND [ARGUMENT]..." >&2
  exit 2
fi

# Whether the machine's own Swift is new enough.
has_swift() {
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9]*\)\..*/\1/p' | head -n 1)
  [ "${version:-0}" -ge 6 ]
}

[ -z "${INNSYNC_SERVER:-}" ] || INNSYNC_SERVER=$(realpath "$INNSYNC_SERVER")
[ -z "${INNSYNC_SCENARIOS:-}" ] || INNSYNC_SCENARIOS=$(realpath "$INNSYNC_SCENARIOS")
export IOS PACKAGE INNSYNC_SERVER=${INNSYNC_SERVER:-} INNSYNC_SCENARIOS=${INNSYNC_SCENARIOS:-}

if has_swift; then
  cd "$PACKAGE"
  exec "$@"
fi

export ROOT=${INNSYNC_SWIFT_ROOT:-/opt/innsync-swift}
# Within the root `usr/bin/swift` is an absolute link, which leads nowhere from outside.
if [ ! -x "$ROOT/usr/libexec/swift/bin/swift" ]; then
  echo "There is no Swift 6 here: run ios/install-swift.sh first." >&2
  exit 1
fi

exec unshare --mount bash -euc '
  # shows PATH TARGET: the file or folder PATH of the machine, at the same path inside.
  shows() {
    if [ -d "$1" ]; then mkdir -p "$ROOT$1"; else mkdir -p "$(dirname "$ROOT$1")"; touch "$ROOT$1"; fi
    mount --rbind "$1" "$ROOT$1"
  }
  mount -t proc proc "$ROOT/proc"
  mount --rbind /dev "$ROOT/dev"
  mount -t tmpfs tmpfs "$ROOT/tmp"
  shows "$IOS"
  [ -z "$INNSYNC_SERVER" ] || shows "$INNSYNC_SERVER"
  if [ -n "$INNSYNC_SCENARIOS" ]; then
    shows "$INNSYNC_SCENARIOS"
    shows "$(dirname "$INNSYNC_SCENARIOS")/vectors"
  fi
  mkdir -p "$ROOT/var/innsync"
  exec chroot "$ROOT" /usr/bin/env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/var/innsync LANG=C.UTF-8 \
    INNSYNC_SERVER="$INNSYNC_SERVER" INNSYNC_SCENARIOS="$INNSYNC_SCENARIOS" \
    bash -c "cd \"\$1\" && shift && exec \"\$@\"" _ "$PACKAGE" "$@"
' _ "$@"
