// swift-tools-version: 6.0
import PackageDescription

// `cargo xtask bindings` writes Sources/InnSyncCore/InnSyncCore.swift, Sources/InnSyncCoreFFI and lib/libinnsync_ffi.a.
let package = Package(
    name: "InnSyncKit",
    defaultLocalization: "en",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "InnSyncKit", targets: ["InnSyncKit"])],
    targets: [
        // The C face of the Rust core. For apps it is a binary target: see package-xcframework.sh.
        .systemLibrary(name: "InnSyncCoreFFI"),
        // Generated. In language mode 5, since Swift 6.0's compiler crashes on such code in mode 6.
        .target(
            name: "InnSyncCore",
            dependencies: ["InnSyncCoreFFI"],
            swiftSettings: [.swiftLanguageMode(.v5)],
            linkerSettings: [
                .linkedLibrary("innsync_ffi"),
                .linkedLibrary("m", .when(platforms: [.linux])),
                // Relative to the package, which must be the root package; true of the tests.
                .unsafeFlags(["-Llib"]),
            ]
        ),
        .target(name: "InnSyncKit", dependencies: ["InnSyncCore"]),
        .testTarget(name: "InnSyncKitTests", dependencies: ["InnSyncKit"]),
        .executableTarget(name: "InnSyncBench", dependencies: ["InnSyncKit"]),
    ],
    swiftLanguageModes: [.v6]
)
