r"""Pack what a study measured into one file for a release, and list its hashes for the repository.

    python benchmarks/seven/archive.py runs/seven --out seven.tar.xz \
        --checksums benchmarks/seven/checksums.txt

Metrics, predictions, logs and settings of every row go in; weights and checkpoints do not. The same
folder gives the same bytes. Whoever has the archive checks it, unpacked, by
`sha256sum -c checksums.txt`, and makes the tables from it again by `tables.py`. With `--small`
predictions, which are nearly all of its size, stay out of the archive, though not of the list; the
tables made from it lack the answers to questions.
"""

from __future__ import annotations

import argparse
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

from askmask.atomic import atomic_write, staged
from askmask.errors import AskmaskError, DataError
from askmask.formats.files import file_sha256

__all__ = ["main", "pack"]

_KEPT = {".json", ".jsonl"}


def pack(study: Path, archive: Path, checksums: Path, *, small: bool = False) -> int:
    """Write the archive and the list; return the number of files in the archive.

    Args:
        study: folder that run.py wrote.
        archive: gets metrics, predictions, logs and settings.
        checksums: gets the hashes of all of these.
        small: leave predictions out of the archive.

    Raises:
        DataError: when no row of `study` is finished.
        OutputError: when a file cannot be written.
    """
    if not any(study.glob("*/seed-*/row.json")):
        raise DataError(f"{study}: no finished row (ROW/seed-N/row.json); run run.py first")
    files = sorted(
        path for path in study.rglob("*") if path.suffix in _KEPT and "weights" not in path.parts
    )
    packed = [path for path in files if not (small and path.name == "predictions.jsonl")]
    with staged(archive) as draft, tarfile.open(draft, "w:xz") as tar:
        for path in packed:
            tar.add(path, path.relative_to(study), filter=_anonymous)
    lines = [f"{file_sha256(path)}  {path.relative_to(study).as_posix()}\n" for path in files]
    with atomic_write(checksums) as stream:
        stream.write("".join(lines).encode())
    return len(packed)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without what differs between machines."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member


def main(arguments: Sequence[str] | None = None) -> int:
    """Pack one study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, help="folder that run.py wrote")
    parser.add_argument("--out", type=Path, default=Path("seven.tar.xz"))
    parser.add_argument("--checksums", type=Path, default=Path(__file__).with_name("checksums.txt"))
    parser.add_argument("--small", action="store_true", help="leave predictions out")
    options = parser.parse_args(arguments)
    try:
        count = pack(options.study, options.out, options.checksums, small=options.small)
    except AskmaskError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.out}: {count} files, {options.out.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
