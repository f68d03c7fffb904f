"""Catalogues and models of furniture sets."""

import io

import numpy as np
import pytest
from PIL import Image
from tiny_furniture import CUBE, furniture_set

from askmask.errors import DataError
from askmask.pantry.objects.sweet_home import FurnitureSet
from askmask.pantry.objects.wavefront import read_model


@pytest.fixture
def cubes(tmp_path):
    path = tmp_path / "test.sh3f"
    path.write_bytes(furniture_set())
    return FurnitureSet(path)


def test_reads_the_catalogue(cubes):
    assert list(cubes.furniture) == ["cube"]
    item = cubes.furniture["cube"]
    assert (item.name, item.creator, item.size_cm) == ("Café table", "Ada", (20.0, 10.0, 30.0))


def test_models_stand_on_the_ground_and_look_along_x(cubes):
    parts = cubes.parts("cube", scale=0.5)
    vertices = np.concatenate([part.mesh.vertices for part in parts])
    assert vertices.min(0) == pytest.approx([-0.025, -0.05, 0.0])
    assert vertices.max(0) == pytest.approx([0.025, 0.05, 0.15])


def test_faces_look_outwards_with_the_colours_of_their_materials(cubes):
    side, lid = cubes.parts("cube")
    for part in (side, lid):
        corners = part.mesh.vertices[part.mesh.faces]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        outward = corners.mean(1) - [0, 0, 0.15]
        assert ((normals * outward).sum(1) > 0).all()
    assert side.finish.texture[0, 0].tolist() == [204, 26, 26]
    assert lid.finish.texture[0, 0].tolist() == [26, 51, 230]
    assert side.finish.roughness < 0.3 < lid.finish.roughness


def test_unknown_models_and_files_are_said(cubes, tmp_path):
    with pytest.raises(DataError, match="expected a model 'sphere'"):
        cubes.parts("sphere")
    other = tmp_path / "other.sh3f"
    other.write_bytes(b"no zip")
    with pytest.raises(DataError, match="expected a furniture catalogue"):
        FurnitureSet(other)


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(np.array(pixels, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


TRIANGLE = (
    b"mtllib m\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 2 0\nvt 0 1\nusemtl a\nf -3/1 2/2 3/3\n"
)


def model(materials, picture=b""):
    files = {"d/t.obj": TRIANGLE, "d/m": materials, "d/p.png": picture}
    return read_model(files.get, "d/t.obj")


def test_textures_repeat_and_negative_indices_count_back():
    (part,) = model(b"newmtl a\nmap_Kd maps\\p.png\n", png([[[10, 20, 30]]]))
    assert part.mesh.uv[:, 0].max() == 2
    assert part.mesh.normals == pytest.approx(np.tile([0.0, 0.0, 1.0], (3, 1)))
    assert part.finish.texture.tolist() == [[[10, 20, 30]]]


def test_holes_take_the_colour_around_them_and_decals_are_left_out():
    leaf = [[[0, 200, 0, 255], [255, 0, 255, 0]]]
    (part,) = model(b"newmtl a\nmap_Kd p.png\n", png(leaf))
    assert part.finish.texture.reshape(-1, 3).tolist() == [[0, 200, 0], [0, 200, 0]]
    flame = [[[255, 200, 0, 255], *[[0, 0, 0, 0]] * 5]]
    assert model(b"newmtl a\nmap_Kd p.png\n", png(flame)) == []


def test_things_of_glass_nearly_hide_what_is_behind_them():
    (part,) = model(b"newmtl a\nd 0.2\n")
    assert part.finish.opacity == pytest.approx(0.8)
    two = TRIANGLE + b"usemtl b\nv 9 0 0\nv 0 9 0\nf 1 4 5\n"
    pane, frame = read_model({"t": two, "m": b"newmtl a\nd 0.2\nnewmtl b\n"}.get, "t")
    assert (pane.finish.opacity, frame.finish.opacity) == (0.2, 1.0)


@pytest.mark.parametrize("garbled", [b"v 1 2\nf 1 1 1\n", b"f 1 2 3\n", b"v 0 0 zero\n"])
def test_garbled_models_are_data_errors(garbled):
    with pytest.raises(DataError, match=r"x\.obj"):
        read_model({"x.obj": garbled}.get, "x.obj")


def test_missing_models_are_data_errors():
    with pytest.raises(DataError, match="found none"):
        read_model({"y.obj": CUBE}.get, "x.obj")
