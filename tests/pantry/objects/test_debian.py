"""Furniture packages: unpacked, checked, and fetched with clear advice."""

import hashlib
import subprocess

import pytest
from tiny_furniture import deb

from askmask.errors import DataError, MissingExtraError
from askmask.pantry.objects import debian

FILES = {"First.sh3f": b"one", "Second.sh3f": b"two" * 5, "README": b"no set"}


@pytest.fixture(autouse=True)
def two_sets(monkeypatch):
    sets = {
        "First": hashlib.sha256(b"one").hexdigest(),
        "Second": hashlib.sha256(b"two" * 5).hexdigest(),
    }
    monkeypatch.setattr(debian, "SETS", sets)


@pytest.mark.parametrize("compression", ["xz", "gz"])
def test_unpacks_the_sets(tmp_path, compression):
    package = tmp_path / "p.deb"
    package.write_bytes(deb(FILES, compression))
    paths = debian.unpack(package, tmp_path / "sets")
    assert {name: path.read_bytes() for name, path in paths.items()} == {
        "First": b"one",
        "Second": b"two" * 5,
    }


def test_sets_that_are_there_need_no_package(tmp_path):
    package = tmp_path / "p.deb"
    package.write_bytes(deb(FILES))
    debian.unpack(package, tmp_path / "sets")
    package.unlink()
    assert set(debian.unpack(package, tmp_path / "sets")) == {"First", "Second"}


def test_other_bytes_are_refused_and_leave_nothing(tmp_path):
    package = tmp_path / "p.deb"
    package.write_bytes(deb({**FILES, "First.sh3f": b"changed"}))
    with pytest.raises(DataError, match=r"expected First\.sh3f with SHA-256"):
        debian.unpack(package, tmp_path / "sets")
    assert not (tmp_path / "sets").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04 a zip", "expected a Debian package"),
        (b"!<arch>\n", "expected a member data.tar"),
        (deb(FILES)[:-80], "broken"),
        (deb(FILES)[:90], "expected a member data.tar"),
    ],
    ids=["zip", "empty", "cut data", "cut header"],
)
def test_broken_packages_are_one_clear_line(tmp_path, content, message):
    package = tmp_path / "p.deb"
    package.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        debian.unpack(package, tmp_path / "sets")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(DataError, match=r"none\.deb: cannot read"):
        debian.unpack(tmp_path / "none.deb", tmp_path / "sets")


def test_without_apt_get_it_says_where_to_get_the_package(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match=r"download http://deb\.debian\.org.*--deb"):
        debian.unpack(None, tmp_path / "sets")


def test_a_failing_apt_get_is_quoted(tmp_path, monkeypatch):
    def fail(*_args, **_kwargs):
        return subprocess.CompletedProcess([], 100, "", "E: Unable to locate package\n")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(MissingExtraError, match=r"Unable to locate package.*apt-get update"):
        debian.fetch(tmp_path)
