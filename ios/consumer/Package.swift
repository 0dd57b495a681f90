// swift-tools-version: 6.0
import PackageDescription

// An app as its developer begins it: `cargo xtask packages` copies it out of the checkout and runs it.
let package = Package(
    name: "roll",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: "../RegistroKit")],
    targets: [
        .executableTarget(name: "roll", dependencies: [.product(name: "RegistroKit", package: "RegistroKit")])
    ],
    swiftLanguageModes: [.v6]
)
