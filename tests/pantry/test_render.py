"""The catalogue and meshes everywhere; pictures where a software Vulkan driver is installed."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from askmask.errors import MissingExtraError
from askmask.pantry.render import filament
from askmask.pantry.render.build_bank import main
from askmask.pantry.render.labels import INKS, LAYOUTS, Label
from askmask.pantry.render.packages import BODIES
from askmask.pantry.render.pictograms import PICTOGRAMS
from askmask.pantry.render.produce import PRODUCE
from askmask.pantry.render.products import PRODUCTS
from askmask.pantry.render.shapes import lathe, quad

pytest.importorskip("scipy")


def test_every_product_can_be_made():
    for product in PRODUCTS:
        assert product.body in BODIES
        assert product.picture in PICTOGRAMS
        assert len(set(product.inks)) == 3
        labels = [product.label(design) for design in range(3)]
        assert len({label.layout for label in labels}) == 3
        assert all(label.main in INKS and label.accent != label.main for label in labels)


def test_nouns_are_unique():
    nouns = [item.noun for item in (*PRODUCTS, *PRODUCE)]
    assert len(set(nouns)) == len(nouns)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [(0.05, 0.12), (0.12, 0.03)])
def test_labels_show_ground_ribbon_and_picture(layout, size):
    panel = Label("tomato soup", "tomato", "blue", "yellow", layout).panel(*size)
    assert panel.shape[1] / panel.shape[0] == pytest.approx(size[0] / size[1], rel=0.02)
    distance = {
        name: np.abs(panel.astype(int) - np.array(ink)).max(2) < 50 for name, ink in INKS.items()
    }
    assert distance["blue"].mean() > 0.15
    assert distance["yellow"].mean() > 0.08
    assert distance["red"].mean() > 0.03


def test_a_label_goes_three_times_around():
    wrapped = Label("corn", "corn", "red", "white", "dots").wrap(0.24, 0.1)
    first, second, third = np.split(wrapped, 3, axis=1)
    assert np.array_equal(first, second)
    assert np.array_equal(second, third)


def outward(mesh):
    corners = mesh.vertices[mesh.faces]
    across, along = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.cross(across, along)


def test_turned_bodies_are_closed_and_face_outwards():
    mesh = lathe([(0, 0), (1, 0), (1, 2), (0, 2)])
    normals = outward(mesh)
    volume = (mesh.vertices[mesh.faces[:, 0]] * normals).sum() / 6
    assert volume == pytest.approx(2 * np.pi, rel=0.01)
    assert (mesh.normals[mesh.faces[:, 0]] * normals).sum(1).min() > -1e-12
    assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(1)


def test_a_panel_reads_from_left_to_right_when_seen_from_outside():
    mesh = quad((1, -1, 0), (0, 2, 0), (0, 0, 1))
    assert mesh.normals[0] == pytest.approx([1, 0, 0])
    assert mesh.uv[1] == pytest.approx([1, 0])
    assert mesh.vertices[1] == pytest.approx([1, 1, 0])


def test_a_missing_driver_is_one_clear_line(monkeypatch, capsys, tmp_path):
    pytest.importorskip("mujoco.mjrf")
    monkeypatch.setenv("VK_ICD_FILENAMES", str(tmp_path / "none.json"))
    with pytest.raises(MissingExtraError, match="apt-get install libvulkan1"):
        filament.open_context()
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_missing_package_is_one_clear_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "mujoco", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'askmask\[render\]'"):
        filament.open_context()


def test_the_command_wants_one_folder(capsys):
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err


_PICTURE = """
    import os, sys
    import numpy as np
    from askmask.pantry.render.renderer import Camera, Renderer
    from askmask.pantry.render.shapes import Finish, Part, quad

    # An upright panel, red above and blue below, white in its right half's lower corner.
    texture = np.zeros((64, 64, 3), np.uint8)
    texture[:32], texture[32:] = (220, 20, 20), (20, 20, 220)
    texture[48:, 48:] = 255
    panel = Part(quad((0, -0.5, 0), (0, 1, 0), (0, 0, 1)), Finish(texture, roughness=0.9))
    renderer = Renderer(96)
    renderer.show([panel])
    camera = Camera(np.array([4.0, 0, 0.5]), np.array([0, 0, 0.5]), 24.0)
    np.savez(sys.argv[1], picture=renderer.picture(camera), mask=renderer.mask(camera))
    renderer.turn(90)
    np.save(sys.argv[2], renderer.mask(camera))
    sys.stdout.flush()
    os._exit(0)
"""


@pytest.mark.skipif(filament.vulkan_driver() is None, reason="no software Vulkan driver")
def test_renders_an_upright_picture_and_its_mask(tmp_path):
    pytest.importorskip("mujoco.mjrf")
    drawn, turned = tmp_path / "drawn.npz", tmp_path / "turned.npy"
    # In a process of its own: the driver does not survive the interpreter's clean-up.
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_PICTURE), drawn, turned],
        check=True,
        capture_output=True,
        timeout=120,
    )
    result = np.load(drawn)
    picture, mask = result["picture"].astype(int), result["mask"]
    rows, columns = np.nonzero(mask)
    side = 96 / (2 * 4 * np.tan(np.radians(12)))
    assert np.ptp(rows) + 1 == pytest.approx(side, abs=2)
    assert np.ptp(columns) + 1 == pytest.approx(side, abs=2)
    above, below = picture[36, 48], picture[54, 36]
    assert above[0] > 2 * max(above[1], above[2])
    assert below[2] > 2 * max(below[0], below[1])
    assert picture[rows.max() - 3, columns.max() - 3].min() > 120
    assert np.load(turned).sum() < 0.1 * mask.sum()
