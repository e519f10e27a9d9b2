#!/usr/bin/env bash
# Builds EchoDB.xcframework for Apple's systems, and a copy of the package that takes the library
# from it. Runs on macOS with Xcode 16 or newer and rustup; see docs/packaging/apple.md.
#
#   bindings/swift/build-xcframework.sh [OUTPUT-FOLDER]
#
# The output folder is target/apple unless named. It then holds:
#   EchoDB.xcframework       the native library, a slice for each system
#   EchoDB.xcframework.zip   the same, for a release
#   EchoDB.xcframework.sha256  its checksum, as Package.swift wants it
#   package/                 the package with the framework in it
set -euo pipefail

if [ "$(uname -s)" != Darwin ]; then
    echo "build-xcframework.sh: xcodebuild and lipo are needed, which only macOS has" >&2
    exit 1
fi

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
output=${1:-$root/target/apple}
built=${CARGO_TARGET_DIR:-$root/target}
work=$output/work

# The lowest systems that the slices run on; Package.swift names the same.
export MACOSX_DEPLOYMENT_TARGET=13.0
export IPHONEOS_DEPLOYMENT_TARGET=16.0
export TVOS_DEPLOYMENT_TARGET=16.0

# Slice, and the Rust targets that are joined in it.
slices=(
    "macos aarch64-apple-darwin x86_64-apple-darwin"
    "ios aarch64-apple-ios"
    "ios-simulator aarch64-apple-ios-sim x86_64-apple-ios"
)

rm -rf "$output/EchoDB.xcframework" "$output/EchoDB.xcframework.zip" "$output/package" "$work"
# In a folder of its own: two frameworks in one app must not both bring headers/module.modulemap.
mkdir -p "$work/headers/CEchoDB"

# The bindings are generated from the library as it is built for this machine; they are the same for
# every system.
cd "$root"
cargo xtask swift generate "$work/generated"
cp "$work/generated/CEchoDB.h" "$work/headers/CEchoDB/"
# The framework is what is linked; the package's own module map names a library instead.
sed '/^ *link /d' "$here/Sources/CEchoDB/module.modulemap" >"$work/headers/CEchoDB/module.modulemap"

frameworks=()
for slice in "${slices[@]}"; do
    read -r -a words <<<"$slice"
    name=${words[0]}
    archives=()
    for target in "${words[@]:1}"; do
        rustup target add "$target"
        cargo rustc --lib -p echo-db --profile dist --target "$target" --crate-type staticlib \
            -- --print native-static-libs
        archives+=("$built/$target/dist/libechodb.a")
    done
    mkdir -p "$work/$name"
    lipo -create "${archives[@]}" -output "$work/$name/libechodb.a"
    frameworks+=(-library "$work/$name/libechodb.a" -headers "$work/headers")
done
xcodebuild -create-xcframework "${frameworks[@]}" -output "$output/EchoDB.xcframework"

cd "$output"
zip --quiet --recurse-paths --symlinks EchoDB.xcframework.zip EchoDB.xcframework
swift package compute-checksum EchoDB.xcframework.zip >EchoDB.xcframework.sha256

mkdir -p package/Sources/EchoDBNative
cp "$here/Package.swift" "$here/README.md" package/
cp -R "$here/Sources/EchoDB" package/Sources/
cp "$here/PrivacyInfo.xcprivacy" package/Sources/EchoDB/
cp "$work/generated/EchoDBNative.swift" package/Sources/EchoDBNative/
cp -R EchoDB.xcframework package/
swift build --package-path package
echo "$output"
