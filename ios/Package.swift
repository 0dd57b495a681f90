// swift-tools-version: 6.0
import Foundation
import PackageDescription

// The same file serves the checkout and what `cargo xtask dist` publishes.
//
// `cargo xtask bindings` writes `Sources/RegistroKit/RegistroKit.swift` and what is in `Sources/RegistroKitFFI`:
// generated, and not in version control. On Apple's systems the library is the XCFramework of `cargo xtask ios`; on
// Linux it is in `lib` of the published package, and in the checkout `cargo xtask swift` says where it is.
let folder = Context.packageDirectory
let framework = "RegistroKitFFI.xcframework"
let hasFramework = FileManager.default.fileExists(atPath: "\(folder)/\(framework)")

#if arch(arm64)
let libraries = "\(folder)/lib/linux-aarch64"
#else
let libraries = "\(folder)/lib/linux-x86_64"
#endif
let hasLibrary = FileManager.default.fileExists(atPath: libraries)
let whereItIs: [LinkerSetting] =
    hasLibrary
    ? [.unsafeFlags(["-L\(libraries)", "-Xlinker", "-rpath", "-Xlinker", libraries], .when(platforms: [.linux]))] : []

var targets: [Target] = [
    hasFramework
        ? .binaryTarget(name: "RegistroKitFFI", path: framework) : .systemLibrary(name: "RegistroKitFFI"),
    .target(
        name: "RegistroKit",
        dependencies: ["RegistroKitFFI"],
        resources: [.copy("PrivacyInfo.xcprivacy")],
        linkerSettings: hasFramework ? [] : [.linkedLibrary("registro_ffi")] + whereItIs
    ),
]
// Published without.
if FileManager.default.fileExists(atPath: "\(folder)/Tests") {
    targets.append(.testTarget(name: "RegistroKitTests", dependencies: ["RegistroKit"]))
}

let package = Package(
    name: "RegistroKit",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "RegistroKit", targets: ["RegistroKit"])],
    targets: targets,
    swiftLanguageModes: [.v6]
)
