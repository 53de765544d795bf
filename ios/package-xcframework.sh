#!/usr/bin/env bash
# Builds the Rust core for iPhones, their simulator and the Mac, and packages InnSyncKit/InnSyncCoreFFI.xcframework, with
# which apps can use the package: Package.swift takes it where it is.
#
# Needs a Mac with Xcode and the Rust targets below. NOT TRIED: the project is developed on Linux, where this script is
# only checked for its syntax.
#
#   rustup target add aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin x86_64-apple-darwin
#   cargo xtask bindings
#   ios/package-xcframework.sh
set -euo pipefail

IOS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
ROOT=$(dirname "$IOS")
PACKAGE=$IOS/InnSyncKit
FRAMEWORK=$PACKAGE/InnSyncCoreFFI.xcframework
PROFILE=shipping

[ "$(uname)" = Darwin ] || { echo "An XCFramework can be made on a Mac alone." >&2; exit 1; }
[ -f "$PACKAGE/Sources/InnSyncCoreFFI/InnSyncCoreFFI.h" ] || { echo "Run cargo xtask bindings first." >&2; exit 1; }

export IPHONEOS_DEPLOYMENT_TARGET=16.0 MACOSX_DEPLOYMENT_TARGET=13.0
BUILT=$(mktemp -d)
trap 'rm -rf "$BUILT"' EXIT

# library NAME TARGET...: one static library for all those processors.
library() {
  local name=$1 target made=()
  shift
  for target in "$@"; do
    cargo build --manifest-path "$ROOT/Cargo.toml" --package innsync-ffi --lib --profile "$PROFILE" --target "$target"
    made+=("$ROOT/target/$target/$PROFILE/libinnsync_ffi.a")
  done
  mkdir -p "$BUILT/$name"
  lipo -create "${made[@]}" -output "$BUILT/$name/libinnsync_ffi.a"
}
library ios aarch64-apple-ios
library simulator aarch64-apple-ios-sim x86_64-apple-ios
library macos aarch64-apple-darwin x86_64-apple-darwin

# In a folder of the module's name, since Xcode puts the headers of all such frameworks of an app into one folder.
HEADERS=$BUILT/headers
mkdir -p "$HEADERS/InnSyncCoreFFI"
cp "$PACKAGE/Sources/InnSyncCoreFFI/InnSyncCoreFFI.h" "$PACKAGE/Sources/InnSyncCoreFFI/module.modulemap" \
  "$HEADERS/InnSyncCoreFFI/"

rm -rf "$FRAMEWORK"
xcodebuild -create-xcframework \
  -library "$BUILT/ios/libinnsync_ffi.a" -headers "$HEADERS" \
  -library "$BUILT/simulator/libinnsync_ffi.a" -headers "$HEADERS" \
  -library "$BUILT/macos/libinnsync_ffi.a" -headers "$HEADERS" \
  -output "$FRAMEWORK"

# For a release: the archive, and the checksum that a package naming it by URL needs.
(cd "$PACKAGE" && zip --quiet --recurse-paths --symlinks InnSyncCoreFFI.xcframework.zip InnSyncCoreFFI.xcframework)
swift package compute-checksum "$FRAMEWORK.zip"
