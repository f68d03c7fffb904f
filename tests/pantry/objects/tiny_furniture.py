"""Tiny furniture packages, made on the spot."""

import io
import tarfile
import zipfile

CUBE = b"""mtllib cube.mtl
v -1 0 -2
v 1 0 -2
v 1 0 2
v -1 0 2
v -1 1 -2
v 1 1 -2
v 1 1 2
v -1 1 2
usemtl side
f 4 3 7 8
f 3 2 6 7
f 2 1 5 6
f 1 4 8 5
usemtl lid
f 8 7 6 5
f 1 2 3 4
"""
MATERIALS = b"newmtl side\nKd 0.8 0.1 0.1\nKs 1 1 1\nNs 120\nnewmtl lid\nKd 0.1 0.2 0.9\n"
CATALOGUE = """# a comment
id=Test
name#1=Caf\\u00e9 table
model#1=/test/cube/cube.obj
width#1=20.0
depth#1=10.0
height#1=30.0
creator#1=Ada
name#2=Heading without a model
"""


def furniture_set(**more: bytes) -> bytes:
    """An .sh3f file with one model; `more` are further files of its folder, by suffix."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("PluginFurnitureCatalog.properties", CATALOGUE)
        archive.writestr("test/cube/cube.obj", CUBE)
        archive.writestr("test/cube/CUBE.mtl", MATERIALS)  # another case than in the OBJ file
        for suffix, content in more.items():
            archive.writestr(f"test/cube/cube.{suffix}", content)
    return buffer.getvalue()


def deb(files: dict[str, bytes], compression: str = "xz") -> bytes:
    """A Debian package that installs `files` into the furniture folder."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=f"w:{compression}") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"./usr/share/sweethome3d/furniture/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    members = {"debian-binary": b"2.0\n", "control.tar.xz": b"odd", f"data.tar.{compression}": data}
    written = b"!<arch>\n"
    for name, member in members.items():
        content = member if isinstance(member, bytes) else member.getvalue()
        header = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n"
        written += header.encode() + content + b"\n" * (len(content) % 2)
    return written
