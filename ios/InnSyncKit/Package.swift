// swift-tools-version: 6.0
import Foundation
import PackageDescription

// `cargo xtask bindings` writes Sources/InnSyncCore/InnSyncCore.swift, Sources/InnSyncCoreFFI and lib/libinnsync_ffi.a.
// For apps, package-xcframework.sh makes InnSyncCoreFFI.xcframework from them; where that is, it is used.
let framework = "InnSyncCoreFFI.xcframework"
let isForApps = FileManager.default.fileExists(atPath: "\(Context.packageDirectory)/\(framework)")

// The library built here. Unsafe flags are allowed in a root package alone, which this then is: that of the tests.
let localLibrary: [LinkerSetting] = [
    .linkedLibrary("innsync_ffi"),
    .linkedLibrary("m", .when(platforms: [.linux])),
    .unsafeFlags(["-Llib"]),
    // Debian's libswiftObservation.so lacks a function that it calls only to say why it gives up.
    .unsafeFlags(["-Xlinker", "--allow-shlib-undefined"], .when(platforms: [.linux])),
]

let package = Package(
    name: "InnSyncKit",
    defaultLocalization: "en",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "InnSyncKit", targets: ["InnSyncKit"])],
    targets: [
        // The C face of the Rust core.
        isForApps
            ? .binaryTarget(name: "InnSyncCoreFFI", path: framework)
            : .systemLibrary(name: "InnSyncCoreFFI"),
        // Generated. In language mode 5, since Swift 6.0's compiler crashes on such code in mode 6.
        .target(
            name: "InnSyncCore",
            dependencies: ["InnSyncCoreFFI"],
            swiftSettings: [.swiftLanguageMode(.v5)],
            linkerSettings: isForApps ? [] : localLibrary
        ),
        .target(name: "InnSyncKit", dependencies: ["InnSyncCore"]),
        .testTarget(name: "InnSyncKitTests", dependencies: ["InnSyncKit"]),
        .executableTarget(name: "InnSyncBench", dependencies: ["InnSyncKit"]),
    ],
    swiftLanguageModes: [.v6]
)
