"""The Debian package of openly licensed furniture: find it, check it, unpack it.

A .deb is an `ar` archive with a tar archive in it; reading it needs neither Debian nor root.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import subprocess
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from askmask.atomic import atomic_write
from askmask.errors import DataError, MissingExtraError

__all__ = ["SETS", "fetch", "unpack"]

_PACKAGE = "sweethome3d-furniture"
_VERSION = "1.8-1"
_URL = f"http://deb.debian.org/debian/pool/main/s/{_PACKAGE}/{_PACKAGE}_{_VERSION}_all.deb"

SETS = {
    "BlendSwap-CC-0": "7ef093fe70cedbb160bdb532d86a84580459635e34130c16777f549eba1993dc",
    "BlendSwap-CC-BY": "29ae78937b4d5dbe93db74067817a984fa411f017b007fd666bc40368bdb0c83",
    "KatorLegaz": "f512443b5d3a6903497573095f971f44334b3165ab32182133051fa9487764a6",
    "Scopia": "b4505451b1e8ab339c101c0afddfef4e1a07b95aa8c821c61ec41487afd43850",
}
"""Furniture set -> SHA-256 of its .sh3f file; other bytes would give other scenes."""

_FETCH_SECONDS = 900
_HEADER = 60
"""Bytes before each member of an `ar` archive: its name, times, owner, mode and length."""


def fetch(folder: Path) -> Path:
    """Download the package into `folder` with apt-get.

    Raises:
        MissingExtraError: where there is no apt-get or it fails; says what to do instead.
    """
    advice = f"download {_URL} and name it with --deb"
    command = ["apt-get", "download", "-q", f"{_PACKAGE}={_VERSION}"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingExtraError(
            f"household objects need the Debian package {_PACKAGE}, and apt-get is of no help "
            f"({type(error).__name__}): {advice}"
        ) from error
    found = sorted(folder.glob(f"{_PACKAGE}_*.deb"))
    if done.returncode != 0 or not found:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise MissingExtraError(
            f"household objects need the Debian package {_PACKAGE} {_VERSION}, and apt-get could "
            f"not download it ({reason}): run 'apt-get update', or {advice}"
        )
    return found[0]


def unpack(deb: Path | None, folder: Path) -> dict[str, Path]:
    """Put the furniture sets of the package into `folder`.

    Args:
        deb: the package, or None to download it.
        folder: made when missing; sets that are there already are kept.

    Returns:
        Furniture set -> its .sh3f file, every one with the bytes that `SETS` promises.

    Raises:
        DataError: when `deb` cannot be read, is no Debian package, or holds other bytes.
        MissingExtraError: when it has to be downloaded and cannot be.
    """
    paths = {name: folder / f"{name}.sh3f" for name in SETS}
    if all(
        path.is_file() and _digest(path.read_bytes()) == SETS[name] for name, path in paths.items()
    ):
        return paths
    if deb is None:
        with tempfile.TemporaryDirectory() as scratch:
            members = _furniture(fetch(Path(scratch)))
    else:
        members = _furniture(deb)
    for name, path in paths.items():
        found = _digest(members[name]) if name in members else "nothing"
        if found != SETS[name]:
            raise DataError(
                f"{deb or _PACKAGE}: expected {name}.sh3f with SHA-256 {SETS[name][:12]}…, got "
                f"{found[:12]}; use version {_VERSION} of {_PACKAGE}"
            )
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            file.write(members[name])
    return paths


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _furniture(deb: Path) -> dict[str, bytes]:
    """Name without suffix -> bytes of each .sh3f file in a package."""
    try:
        with tarfile.open(fileobj=io.BytesIO(_data(deb))) as archive:
            files = {
                PurePosixPath(member.name).stem: archive.extractfile(member)
                for member in archive
                if member.isfile() and member.name.endswith(".sh3f")
            }
            return {name: file.read() for name, file in files.items() if file is not None}
    except OSError as error:
        raise DataError(f"{deb}: cannot read the package ({error.strerror or error})") from error
    except (tarfile.TarError, lzma.LZMAError, EOFError) as error:
        raise DataError(f"{deb}: its data is broken ({error}); download it again") from error


def _data(deb: Path) -> bytes:
    """Bytes of the compressed tar archive in a package."""
    content = deb.read_bytes()
    if not content.startswith(b"!<arch>\n"):
        raise DataError(f"{deb}: expected a Debian package (.deb), got something else")
    at = len(b"!<arch>\n")
    while at + _HEADER <= len(content):
        name = content[at : at + 16].decode("ascii", "replace").strip().rstrip("/")
        length = content[at + 48 : at + 58].strip()
        if not length.isdigit():
            break
        body = content[at + _HEADER : at + _HEADER + int(length)]
        if name.startswith("data.tar"):
            return body
        at += _HEADER + int(length) + int(length) % 2
    raise DataError(f"{deb}: expected a member data.tar in the package; download it again")
