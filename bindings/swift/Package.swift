// swift-tools-version:6.0
import Foundation
import PackageDescription

// The shared library lies in the package's folder `lib`: `cargo xtask swift build` puts it there,
// together with the sources that are generated from it.
let library = "\(Context.packageDirectory)/lib"

// `build-xcframework.sh` puts this there instead, and Apple's declaration of privacy beside the
// sources: what links it takes no library along.
let framework = "EchoDB.xcframework"
let hasFramework = FileManager.default.fileExists(
    atPath: "\(Context.packageDirectory)/\(framework)")

let package = Package(
    name: "EchoDB",
    platforms: [.macOS(.v13), .iOS(.v16)],
    products: [.library(name: "EchoDB", targets: ["EchoDB"])],
    targets: [
        hasFramework
            ? .binaryTarget(name: "CEchoDB", path: framework)
            : .systemLibrary(name: "CEchoDB", path: "Sources/CEchoDB"),
        .target(
            name: "EchoDBNative",
            dependencies: ["CEchoDB"],
            path: "Sources/EchoDBNative",
            linkerSettings: hasFramework
                ? []
                : [.unsafeFlags(["-L\(library)", "-Xlinker", "-rpath", "-Xlinker", library])]
        ),
        .target(
            name: "EchoDB", dependencies: ["EchoDBNative"], path: "Sources/EchoDB",
            resources: hasFramework ? [.copy("PrivacyInfo.xcprivacy")] : []),
    ],
    swiftLanguageModes: [.v6]
)

// Tests, and programs that only the project itself needs.
if Context.environment["ECHODB_DEVELOPMENT"] != nil {
    package.products += [
        .executable(name: "conformance-peer", targets: ["ConformancePeer"]),
        .executable(name: "call-overhead", targets: ["CallOverhead"]),
        .executable(name: "notes", targets: ["Notes"]),
    ]
    package.targets += [
        .executableTarget(name: "ConformancePeer", dependencies: ["EchoDB"]),
        .executableTarget(
            name: "CallOverhead", dependencies: ["EchoDB"], path: "Benchmarks/CallOverhead"),
        .executableTarget(name: "Notes", dependencies: ["EchoDB"], path: "Examples/Notes"),
        .executableTarget(name: "Forgetful", dependencies: ["EchoDB"], path: "Tests/Forgetful"),
        .testTarget(name: "EchoDBTests", dependencies: ["EchoDB", "Notes", "Forgetful"]),
    ]
    let generated = ["CEchoDB", "EchoDBNative"]
    for target in package.targets where !generated.contains(target.name) {
        target.swiftSettings = [.unsafeFlags(["-warnings-as-errors"])]
    }
}
