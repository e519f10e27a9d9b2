#!/usr/bin/env bash
# Builds the archive (AAR) of echo-db for Android: the classes of the jar, and the native library for
# each ABI. docs/packaging/android.md describes what is in it and why.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: build-aar.sh --jar JAR [--libraries DIR] [--out FILE]

  --jar JAR         the package's jar; `cargo xtask kotlin package --release` prints its path
  --libraries DIR   ready-made libraries, DIR/ABI/libechodb.so for each ABI to pack; without it they
                    are built with cargo-ndk, which needs the Android NDK (ANDROID_NDK_HOME)
  --out FILE        where to write the archive; echo-db.aar in the present folder if not given
USAGE
}

fail() {
    echo "build-aar.sh: $1" >&2
    exit 1
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)

readonly MIN_SDK=26
readonly ABIS=(arm64-v8a armeabi-v7a x86_64)

jar=
libraries=
out=echo-db.aar
while [[ $# -gt 0 ]]; do
    case $1 in
        --jar) jar=${2:?--jar takes a file} && shift 2 ;;
        --libraries) libraries=${2:?--libraries takes a folder} && shift 2 ;;
        --out) out=${2:?--out takes a file} && shift 2 ;;
        --help) usage && exit 0 ;;
        *) usage >&2 && fail "there is no option $1" ;;
    esac
done
[[ -n $jar ]] || { usage >&2 && fail "the jar is not given"; }
[[ -f $jar ]] || fail "there is no file $jar"
command -v jar > /dev/null || fail "jar, of a JDK, is not on the PATH"

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/aar/jni" "$stage/classes"

# The libraries: built for every ABI, or those that are given.
build_libraries() {
    command -v cargo-ndk > /dev/null || fail "cargo-ndk is missing: cargo install cargo-ndk"
    [[ -n ${ANDROID_NDK_HOME:-} ]] || fail "ANDROID_NDK_HOME does not name an Android NDK, r27 or newer"
    local targets=()
    for abi in "${ABIS[@]}"; do
        targets+=(--target "$abi")
    done
    # Devices with pages of 16 KiB load nothing that is aligned to less.
    (cd "$root" && RUSTFLAGS="${RUSTFLAGS:-} -C link-arg=-Wl,-z,max-page-size=16384" \
        cargo ndk "${targets[@]}" --platform "$MIN_SDK" --output-dir "$stage/aar/jni" \
        build --package echo-db --lib --profile dist)
}

copy_libraries() {
    local found=0
    for folder in "$libraries"/*/; do
        [[ -f $folder/libechodb.so ]] || continue
        install -D -m 644 "$folder/libechodb.so" "$stage/aar/jni/$(basename "$folder")/libechodb.so"
        found=1
    done
    [[ $found = 1 ]] || fail "$libraries has no ABI/libechodb.so"
}

# The jar without what is for other systems: their libraries, and the notes of Maven.
lay_out_classes() {
    local jar_path
    jar_path=$(cd "$(dirname "$jar")" && pwd)/$(basename "$jar")
    (cd "$stage/classes" && jar xf "$jar_path" dev META-INF)
    rm -rf "$stage/classes/META-INF/maven" "$stage/classes/META-INF/MANIFEST.MF"
    jar cf "$stage/aar/classes.jar" -C "$stage/classes" .
}

if [[ -n $libraries ]]; then
    copy_libraries
else
    build_libraries
fi
lay_out_classes
sed "s/@MIN_SDK@/$MIN_SDK/" "$here/AndroidManifest.xml" > "$stage/aar/AndroidManifest.xml"
cp "$here/proguard.txt" "$stage/aar/proguard.txt"
# Every archive has it; there are no resources.
: > "$stage/aar/R.txt"

mkdir -p "$(dirname "$out")"
rm -f "$out"
jar cMf "$out" -C "$stage/aar" .
echo "$out"
