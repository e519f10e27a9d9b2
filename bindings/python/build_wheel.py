"""Packs a finished package directory into a wheel, with the standard library alone, so that a
release can be built anywhere. `cargo xtask python wheel` prepares the directory (sources, generated
module, shared library) and calls this; as the PEP 517 backend of `pip install bindings/python` this
calls that."""

import argparse
import base64
import hashlib
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent

METADATA = """\
Metadata-Version: 2.1
Name: echo-db
Version: {version}
Summary: A peer-to-peer, local-first graph database
License: MIT OR Apache-2.0
Project-URL: Source, https://github.com/echo-db/echo-db
Requires-Python: >=3.9
Classifier: Framework :: AsyncIO
Classifier: Programming Language :: Python :: 3
Classifier: Topic :: Database
Classifier: Typing :: Typed
Description-Content-Type: text/markdown

{readme}"""

WHEEL = """\
Wheel-Version: 1.0
Generator: echo-db build_wheel
Root-Is-Purelib: false
Tag: py3-none-{platform}
"""


def platform_tag(library: Path) -> str:
    """Where a wheel with this library runs. On Linux that is read from the library: the newest
    symbol version that it asks of glibc (PEP 600), not the glibc that happens to be here."""
    tag = re.sub(r"[-.]", "_", sysconfig.get_platform())
    if not tag.startswith("linux_"):
        return tag
    machine = tag[len("linux_") :]
    found = re.findall(rb"\0GLIBC_(\d+)\.(\d+)(?=\0|\.)", library.read_bytes())
    if not found:
        return f"musllinux_1_2_{machine}"
    major, minor = max((int(major), int(minor)) for major, minor in found)
    return f"manylinux_{major}_{minor}_{machine}"


def pack(package: Path, out: Path, version: str) -> Path:
    """Writes the wheel and returns its path. The same input gives the same bytes."""
    (library,) = [p for p in package.iterdir() if p.suffix in (".so", ".dylib", ".dll")]
    platform = platform_tag(library)
    info = f"echo_db-{version}.dist-info"
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    files = {f"echodb/{p.name}": p.read_bytes() for p in package.iterdir() if p.is_file()}
    files[f"{info}/METADATA"] = METADATA.format(version=version, readme=readme).encode()
    files[f"{info}/WHEEL"] = WHEEL.format(platform=platform).encode()
    names = sorted(files)
    record = [f"{name},sha256={digest(files[name])},{len(files[name])}\n" for name in names]
    files[f"{info}/RECORD"] = ("".join(record) + f"{info}/RECORD,,\n").encode()
    out.mkdir(parents=True, exist_ok=True)
    wheel = out / f"echo_db-{version}-py3-none-{platform}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in [*names, f"{info}/RECORD"]:
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if name.endswith(library.suffix) else 0o100644) << 16
            archive.writestr(entry, files[name])
    return wheel


def digest(data: bytes) -> str:
    """A hash as RECORD has it."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """PEP 517: builds the release wheel from the workspace that this directory is part of."""
    environment = {**os.environ, "PYTHON": sys.executable}
    command = ["cargo", "xtask", "python", "wheel", "--release"]
    root = HERE.parent.parent
    output = subprocess.run(
        command, cwd=root, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    wheel = Path(output.stdout.splitlines()[-1])
    (Path(wheel_directory) / wheel.name).write_bytes(wheel.read_bytes())
    return wheel.name


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", type=Path, help="the directory to pack")
    parser.add_argument("out", type=Path, help="where to write the wheel")
    parser.add_argument("--version", required=True)
    args = parser.parse_args()
    print(pack(args.package, args.out, args.version))


if __name__ == "__main__":
    main()
