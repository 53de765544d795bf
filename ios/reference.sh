#!/usr/bin/env bash
# Builds the reference of InnSyncKit with DocC, into InnSyncKit/.build/reference; whatever DocC warns of fails it.
#
#   cargo xtask bindings && ios/reference.sh
set -euo pipefail

IOS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

# DocC and SwiftPM's plugin for it come with Xcode; elsewhere DocC alone does, beside the compiler.
"$IOS/swift-run.sh" bash -euc '
  graphs=.build/symbol-graphs
  rm -rf .build/reference && mkdir -p "$graphs"
  swift build --target InnSyncKit -Xswiftc -emit-symbol-graph -Xswiftc -emit-symbol-graph-dir -Xswiftc "$PWD/$graphs"
  # Only the package that people use: what is generated is told of through it.
  find "$graphs" -name "*.symbols.json" ! -name "InnSyncKit*" -delete
  # What is up to date is not compiled again: then the graph is there from before.
  [ -s "$graphs/InnSyncKit.symbols.json" ] || { echo "There is no symbol graph: remove InnSyncKit/.build, and try again." >&2; exit 1; }
  docc=$(command -v docc || echo "$(dirname "$(readlink -f "$(command -v swift)")")/docc")
  "$docc" convert --warnings-as-errors --fallback-display-name InnSyncKit --fallback-bundle-identifier dev.innsync.InnSyncKit \
    --additional-symbol-graph-dir "$graphs" --output-path .build/reference
'
