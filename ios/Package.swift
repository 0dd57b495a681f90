// swift-tools-version: 6.0
import PackageDescription

// `cargo xtask bindings` writes `Sources/RegistroKit/RegistroKit.swift` and what is in `Sources/RegistroKitFFI`:
// generated, and not in version control. On Linux the library itself is found by `-Xlinker -L`, `cargo xtask swift`.
let package = Package(
    name: "RegistroKit",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "RegistroKit", targets: ["RegistroKit"])],
    targets: [
        .systemLibrary(name: "RegistroKitFFI"),
        .target(
            name: "RegistroKit",
            dependencies: ["RegistroKitFFI"],
            linkerSettings: [.linkedLibrary("registro_ffi")]
        ),
        .testTarget(name: "RegistroKitTests", dependencies: ["RegistroKit"]),
    ],
    swiftLanguageModes: [.v6]
)
