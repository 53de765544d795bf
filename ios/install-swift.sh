#!/usr/bin/env bash
# Installs Swift 6 for the tests of InnSyncKit, where the machine has none. Does nothing when it is there already.
#
# On Debian the toolchain comes from Debian 13 (trixie), whose C library may be newer than the machine's. So it goes into a
# small Debian 13 of its own, in INNSYNC_SWIFT_ROOT (default /opt/innsync-swift), about 3.5 GB; ios/swift-run.sh runs it
# from there. Packages come from where the machine gets its own. Needs root. Elsewhere: see https://swift.org/install.
set -euo pipefail

ROOT=${INNSYNC_SWIFT_ROOT:-/opt/innsync-swift}
PACKAGES="swiftlang libc6-dev libstdc++-14-dev libcurl4-openssl-dev libxml2-dev"
KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

give_up() {
  echo "$1" >&2
  exit 1
}

# The machine's own Swift, when it is new enough.
version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9]*\)\..*/\1/p' | head -n 1) || true
[ "${version:-0}" -lt 6 ] || exit 0
# Within the root `usr/bin/swift` is an absolute link, which leads nowhere from outside.
[ ! -x "$ROOT/usr/libexec/swift/bin/swift" ] || exit 0

[ -x /usr/bin/apt-get ] || give_up "This is not a Debian machine: install Swift 6 by hand."
[ "$(id -u)" -eq 0 ] || give_up "Installing Swift needs root."

# The first source of the machine whose address ends so, in either form of apt's source lists (a machine may have one alone).
source_of() {
  { sed -n 's/^URIs:[[:space:]]*//p' /etc/apt/sources.list.d/*.sources 2>/dev/null | tr ' ' '\n' || true
    sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\).*/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true
  } | grep -E "$1/?\$" | head -n 1
}
DEBIAN=$(source_of '/debian') || give_up "No source of Debian packages was found in /etc/apt."
SECURITY=$(source_of 'debian-security') || SECURITY=

apt-get update -q
apt-get install -y -q --no-install-recommends debootstrap
if findmnt --raw --noheadings --output TARGET | grep -q "^$ROOT/"; then
  # What is mounted there would be deleted with it.
  give_up "Something is mounted below $ROOT: unmount it first."
fi
if [ ! -e "$ROOT/etc/debian_version" ] || [ -d "$ROOT/debootstrap" ]; then
  rm -rf "$ROOT"
  debootstrap --variant=minbase --include=ca-certificates trixie "$ROOT" "$DEBIAN"
fi

# It gets its packages as the machine does.
cp /etc/apt/apt.conf.d/* "$ROOT/etc/apt/apt.conf.d/" 2>/dev/null || true
cp /etc/resolv.conf /etc/hosts "$ROOT/etc/"
rm -f "$ROOT/etc/apt/sources.list"
{
  printf 'Types: deb\nURIs: %s\nSuites: trixie trixie-updates\nComponents: main\nSigned-By: %s\n' "$DEBIAN" "$KEYS"
  [ -z "$SECURITY" ] ||
    printf '\nTypes: deb\nURIs: %s\nSuites: trixie-security\nComponents: main\nSigned-By: %s\n' "$SECURITY" "$KEYS"
} >"$ROOT/etc/apt/sources.list.d/debian.sources"

# Mounted in a namespace of its own, so that nothing stays mounted.
export ROOT PACKAGES DEBIAN_FRONTEND=noninteractive
unshare --mount bash -euc '
  mount -t proc proc "$ROOT/proc"
  mount --rbind /dev "$ROOT/dev"
  chroot "$ROOT" apt-get update -q
  chroot "$ROOT" apt-get install -y -q --no-install-recommends $PACKAGES
'
[ -x "$ROOT/usr/libexec/swift/bin/swift" ] || give_up "Swift was not installed."
