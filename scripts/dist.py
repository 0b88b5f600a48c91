#!/usr/bin/env python3
"""Programs that need nothing of the machine they run on: icl-repro and retrace, linked statically, in an archive with
the licences of what is in them.

  usage: dist.py [x86_64|aarch64]      default: this machine's
  writes target/dist/icl-repro-VERSION-MACHINE-linux.tar.xz and its line in target/dist/SHA256SUMS

The build has a folder of its own (target/dist/build), for its options are not those of `make build`: static, no symbols,
and the folders of this machine taken out of what panics say. What is packed is sorted, and its times are
SOURCE_DATE_EPOCH or the commit's. On x86-64, aarch64 needs what cross-tools.sh fetches, and is
tried under qemu.
"""

import hashlib
import io
import json
import lzma
import os
import pathlib
import platform
import re
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CARGO = os.environ.get("CARGO", "cargo")
PROGRAMS = ("icl-repro", "retrace")
# A program that asks for a loader at run time is not static; the number is PT_INTERP of the ELF format.
PT_INTERP = 3


def say(command, **options):
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE, **options).stdout


def fail(words):
    sys.exit(f"error: {words}")


def main():
    machine = sys.argv[1] if len(sys.argv) > 1 else platform.machine()
    if len(sys.argv) > 2 or machine not in ("x86_64", "aarch64") or sys.platform != "linux":
        fail("usage: dist.py [x86_64|aarch64], on Linux")
    target = pathlib.Path(say(["scripts/built.sh", "--folder"]).strip())
    folder = target / "dist"
    programs, emulator = build(machine, target, folder / "build")
    platform_only = f"--filter-platform={machine}-unknown-linux-gnu"
    metadata = json.loads(say([CARGO, "metadata", "--format-version=1", "--locked", platform_only]))
    version = next(p["version"] for p in metadata["packages"] if p["name"] == "icl-repro")
    files = {name: check(path, machine, emulator, version) for name, path in programs.items()}
    files["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    files["THIRD-PARTY.txt"] = licences(metadata, machine).encode()
    archive = folder / f"icl-repro-{version}-{machine}-linux.tar.xz"
    packed = pack(archive.name.removesuffix(".tar.xz"), files)
    archive.write_bytes(packed)
    note(folder / "SHA256SUMS", archive.name, hashlib.sha256(packed).hexdigest())
    # Unpacked beside it, for the Containerfile and for a try.
    unpacked = folder / machine
    unpacked.mkdir(exist_ok=True)
    for name, content in files.items():
        (unpacked / name).write_bytes(content)
        (unpacked / name).chmod(mode(name))
    print(f"{os.path.relpath(archive, ROOT)}: {len(packed) / 1e6:.1f} MB")


def build(machine, target, folder):
    """Paths of the programs, and what runs them."""
    triple = f"{machine}-unknown-linux-gnu"
    home = os.environ.get("CARGO_HOME") or os.path.expanduser("~/.cargo")
    flags = ["-Ctarget-feature=+crt-static", "-Cstrip=symbols", f"--remap-path-prefix={home}=/cargo"]
    flags += [f"--remap-path-prefix={ROOT}=/icl-repro"]
    if machine == "aarch64":
        # Else each call of another crate takes an entry of the global offset table, of which the machine's static
        # libm, made with -fpic, reaches the first 4,096 alone: the linker says `too many GOT entries`.
        flags += ["-Crelocation-model=static"]
    environment = {**os.environ, "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags), "CARGO_TARGET_DIR": str(folder)}
    environment["CARGO_INCREMENTAL"] = "0"
    emulator = []
    if machine != platform.machine():
        if machine != "aarch64":
            fail(f"{machine} can be made on such a machine alone")
        tools = target / "cross-tools"
        subprocess.run(["sh", "scripts/cross-tools.sh", tools, "cross"], cwd=ROOT, check=True)
        subprocess.run(["sh", "scripts/cross-tools.sh", tools, "qemu"], cwd=ROOT, check=True)
        environment |= {"RUSTC": f"{tools}/rustc", "CC_aarch64_unknown_linux_gnu": f"{tools}/cc"}
        environment["CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER"] = f"{tools}/cc"
        emulator = [f"{tools}/qemu-aarch64"]
    command = [CARGO, "build", "--release", "--locked", "--workspace", "--bins", "--target", triple]
    subprocess.run(command, cwd=ROOT, check=True, env=environment)
    return {name: folder / triple / "release" / name for name in PROGRAMS}, emulator


def check(path, machine, emulator, version):
    """The program's bytes, if it is static, names no folder of this machine, and starts."""
    program = path.read_bytes()
    offset, size, count = (int.from_bytes(program[a:b], "little") for a, b in ((32, 40), (54, 56), (56, 58)))
    kinds = [int.from_bytes(program[offset + i * size:][:4], "little") for i in range(count)]
    if program[:4] != b"\x7fELF" or PT_INTERP in kinds:
        fail(f"{path} is not a static program")
    for name in {str(ROOT), os.path.expanduser("~")} - {"/"}:
        if name.encode() + b"/" in program:
            fail(f"{path} names a folder of this machine: {name}")
    said = say([*emulator, path, "--version"]).split()
    if said[-1] != version:
        fail(f"{path} --version says {said}")
    if path.name == "icl-repro":
        print(say([*emulator, path, "doctor"]).splitlines()[-1], f"({machine})")
    return program


def licences(metadata, machine):
    """What the authors of the libraries in the programs ask to be passed on: each licence, each text once."""
    packages = {(p["name"], p["version"]): p for p in metadata["packages"]}
    triple = f"{machine}-unknown-linux-gnu"
    tree = [CARGO, "tree", "--locked", "--workspace", "--edges=normal", "--prefix=none", "--target", triple]
    used = {tuple(line.split()[:2]) for line in say(tree).splitlines() if line.strip()}
    used = sorted((name, version.removeprefix("v")) for name, version in used)
    lines, texts = ["The programs in this archive are made of these libraries:", ""], {}
    for name, version in used:
        package = packages[name, version]
        if package["source"] is None:
            continue
        # As old manifests write `or`.
        terms = (package["license"] or "see its text").replace("/", " OR ")
        lines.append(f"{name} {version}: {terms}")
        for file in sorted(pathlib.Path(package["manifest_path"]).parent.iterdir()):
            if file.is_file() and re.match(r"(?i)(licen[cs]e|copying|notice|copyright|unlicense)", file.name):
                text = file.read_text(encoding="utf-8", errors="replace").strip()
                texts.setdefault(text, []).append(f"{name} {version}")
    for text, names in sorted(texts.items(), key=lambda item: item[1]):
        lines += ["", "-" * 100, ", ".join(dict.fromkeys(names)), "-" * 100, "", text]
    return "\n".join(lines) + "\n"


def mode(name):
    return 0o755 if name in PROGRAMS else 0o644


def pack(folder, files):
    """The archive's bytes: sorted, of nobody, of one time."""
    time = os.environ.get("SOURCE_DATE_EPOCH") or say(["git", "log", "-1", "--format=%ct"]).strip()
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mtime, entry.mode = len(content), int(time), mode(name)
            archive.addfile(entry, io.BytesIO(content))
    return lzma.compress(tar.getvalue(), preset=6)


def note(sums, name, digest):
    """Puts a line of `sha256sum` in the place of an older one."""
    lines = sums.read_text().splitlines() if sums.exists() else []
    kept = [line for line in lines if not line.endswith(f"  {name}")]
    sums.write_text("".join(f"{line}\n" for line in sorted([*kept, f"{digest}  {name}"], key=lambda l: l.split()[1])))


if __name__ == "__main__":
    main()
