#!/usr/bin/env bash
# Checks and tests the Swift package against the real library and a real server:
#
#   cargo xtask bindings                                   # writes the generated sources and the library
#   INNSYNC_SERVER=path/to/innsync-server ios/test.sh      # further arguments go to `swift test`
set -euo pipefail

IOS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
: "${INNSYNC_SERVER:?must name the program of the server}"
export INNSYNC_SERVER INNSYNC_SCENARIOS=${INNSYNC_SCENARIOS:-$IOS/../tests/scenarios}

bash -n "$IOS/package-xcframework.sh"
"$IOS/swift-run.sh" swift format lint --strict --recursive --configuration .swift-format \
  Package.swift Sources/InnSyncKit Sources/InnSyncBench Tests
"$IOS/swift-run.sh" swift test --jobs 2 "$@"
