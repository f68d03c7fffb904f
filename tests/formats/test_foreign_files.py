"""Files of other tools: what people draw there is read, what is broken is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from askmask import rle
from askmask.errors import DataError
from askmask.formats.brush import encode_brush
from askmask.formats.collection import Options
from askmask.formats.converters import FORMATS
from askmask.images import write_png

SIZE = {"imageHeight": 6, "imageWidth": 8}
POLYGON = {"label": "mug", "shape_type": "polygon", "points": [[1, 1], [4.9, 1], [4, 3], [1, 3]]}
CODE = dict(rle.encode(np.eye(6, 8, dtype=bool)))
BRUSH = {
    "type": "brushlabels",
    "original_height": 6,
    "original_width": 8,
    "value": {"format": "rle", "rle": encode_brush(np.eye(6, 8, dtype=bool)), "brushlabels": ["a"]},
}


def labelme(*shapes: Any, **more: Any) -> str:
    return json.dumps({"imagePath": "a.png", **SIZE, "shapes": list(shapes), **more})


def tasks(*results: Any) -> str:
    return json.dumps([{"data": {"image": "a.png"}, "annotations": [{"result": list(results)}]}])


def coco(**annotation: Any) -> str:
    image = {"id": 1, "file_name": "a.png", "height": 6, "width": 8}
    row = {"id": 5, "image_id": 1, "category_id": 2, "segmentation": CODE, **annotation}
    content = {"images": [image], "annotations": [row], "categories": [{"id": 2, "name": "mug"}]}
    return json.dumps(content)


def cvat(shape: str, size: str = 'width="8" height="6"') -> str:
    return f'<annotations><image id="0" name="a.png" {size}>{shape}</image></annotations>'


MASK = '<mask label="mug" rle="{}" left="1" top="1" width="2" height="2"></mask>'


def read(name: str, path: Path, bad: Callable[..., None] | None = None) -> Any:
    reader = FORMATS[name].read()
    return reader(path, Options()) if bad is None else reader(path, Options(), bad)


def masks_of(name: str, path: Path) -> list[np.ndarray]:
    split = read(name, path).only()
    return [rle.decode(entity.modal) for record in split.entities for entity in record.entities]


def test_polygon_and_rectangle_of_labelme(tmp_path: Path) -> None:
    box = {"label": "box", "shape_type": "rectangle", "points": [[5, 2], [2, 4]]}
    (tmp_path / "a.json").write_text(labelme(POLYGON, box), encoding="utf-8")
    polygon, rectangle = masks_of("labelme", tmp_path)
    expected = np.zeros((6, 8), bool)
    expected[1:4, 1:5] = True
    assert (polygon == expected).all()
    assert rectangle.sum() == 12
    assert rectangle[2:5, 2:6].all()


def test_parts_of_a_labelme_group_are_one_object(tmp_path: Path) -> None:
    other = {**POLYGON, "points": [[6, 4], [7, 4], [7, 5]]}
    both = [{**one, "group_id": 3} for one in (POLYGON, other)]
    (tmp_path / "a.json").write_text(labelme(*both), encoding="utf-8")
    (mask,) = masks_of("labelme", tmp_path)
    assert mask[1, 1]
    assert mask[4, 7]


def test_plain_coco_with_polygons_and_plain_runs(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(coco(segmentation=[[1, 1, 5, 1, 5, 3, 1, 3]]), encoding="utf-8")
    (mask,) = masks_of("coco", path)
    assert mask.sum() == mask[1:3, 1:5].sum() == 8
    path.write_text(coco(segmentation={"size": [6, 8], "counts": [5, 2, 41]}), encoding="utf-8")
    (mask,) = masks_of("coco", path)
    assert mask.sum() == 2
    assert read("coco", path).only().entities[0].entities[0].category == "mug"


def test_label_studio_brush_of_a_local_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(
        tasks(BRUSH).replace("a.png", "/data/local-files/?d=b%20c/a.png"), encoding="utf-8"
    )
    record = read("label-studio", path).only().entities[0]
    assert record.image == "b c/a.png"
    assert (rle.decode(record.entities[0].modal) == np.eye(6, 8, dtype=bool)).all()


def test_polygon_of_cvat(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text(cvat('<polygon label="mug" points="1.0,1.0;4.9,1;4,3;1,3"/>'), encoding="utf-8")
    (mask,) = masks_of("cvat", path)
    assert mask.sum() == 12


@pytest.fixture
def yolo(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    write_png(tmp_path / "images" / "a.png", np.zeros((6, 8, 3), np.uint8))
    (tmp_path / "data.yaml").write_text("nc: 2\nnames: ['mug', box]\n", encoding="utf-8")
    (tmp_path / "labels" / "a.txt").write_text("1 0.5 0.5 0.5 0.5\n", encoding="utf-8")
    return tmp_path


def test_box_of_yolo(yolo: Path) -> None:
    record = read("yolo", yolo).only().entities[0]
    assert record.entities[0].category == "box"
    assert rle.box_xyxy(record.entities[0].modal) == (2, 1, 7, 5)
    (yolo / "data.yaml").write_text("names:\n- mug\n- 'a box'\nnc: 2\n", encoding="utf-8")
    assert read("yolo", yolo).only().entities[0].entities[0].category == "a box"


BAD = [
    ("labelme", "a.json", labelme({**POLYGON, "shape_type": "point"}), "shape 1: expected a poly"),
    ("labelme", "a.json", labelme({**POLYGON, "points": [[1, 2], [3]]}), "shape 1, key 'points'"),
    ("labelme", "a.json", labelme({**POLYGON, "points": [["a", 2]] * 3}), "shape 1, key 'points'"),
    ("labelme", "a.json", labelme({**POLYGON, "label": ""}), "shape 1, key 'label'"),
    ("labelme", "a.json", labelme({**POLYGON, "askmask": 3}), "shape 1, key 'askmask'"),
    ("labelme", "a.json", labelme(3), "shape 1: expected an object"),
    ("labelme", "a.json", labelme({**POLYGON, "shape_type": "mask", "mask": "x"}), "got what is"),
    ("labelme", "a.json", labelme(imagePath=3), "key 'imagePath'"),
    ("labelme", "a.json", labelme(imageHeight=10**6, imageWidth=10**6), "at most 100,000,000"),
    ("labelme", "a.json", labelme()[:-3], "expected JSON"),
    ("label-studio", "x.json", "{}", "expected a list of tasks"),
    ("label-studio", "x.json", tasks({**BRUSH, "type": "choices"}), "task 1, result 1: expected"),
    ("label-studio", "x.json", tasks({**BRUSH, "original_width": 9}), "task 1, result 1, key"),
    ("label-studio", "x.json", tasks(), "task 1, key 'data.height': missing"),
    ("coco", "x.json", coco(segmentation=None), "image 1 annotation 5, key 'segmentation'"),
    ("coco", "x.json", coco(visible_mask={"size": [2, 2], "counts": "04"}), "key 'visible_mask'"),
    ("coco", "x.json", coco(segmentation=[[1, 2, 3]]), "expected polygons"),
    ("coco", "x.json", coco().replace('"height": 6', '"height": 0'), "image 1, key 'height'"),
    ("coco", "x.json", '{"images": 3}', "key 'images'"),
    ("cvat", "x.xml", cvat(MASK.format("3")), "image 1 mask 1: mask: expected run lengths"),
    ("cvat", "x.xml", cvat(MASK.format("a")), "image 1 mask 1: expected whole numbers"),
    ("cvat", "x.xml", cvat('<box label="a"/>'), "image 1 box 1: expected a mask or a polygon"),
    ("cvat", "x.xml", cvat(MASK.format("4"), 'width="1"'), "image 1, attribute 'height'"),
    ("cvat", "x.xml", '<!DOCTYPE a [<!ENTITY b "c">]>' + cvat(""), "without a DOCTYPE"),
    ("cvat", "x.xml", "<annotations>", "expected XML"),
]


@pytest.mark.parametrize(
    ("name", "file", "text", "message"), BAD, ids=[f"{row[0]}-{i}" for i, row in enumerate(BAD)]
)
def test_what_is_broken_is_named(
    name: str, file: str, text: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / file
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read(name, path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("7 0.1 0.1 0.2 0.2 0.3 0.1", "a.txt:1: expected the number of a class"),
        ("0 0.1 0.1 0.2", "a.txt:1: expected pairs"),
        ("0 1 1 30 20 10 5", "a.txt:1: expected coordinates in shares"),
        ("0 nan 0.1 0.2 0.2 0.3 0.1", "a.txt:1: expected pairs of finite"),
    ],
)
def test_broken_lines_of_yolo_are_named(yolo: Path, line: str, message: str) -> None:
    (yolo / "labels" / "a.txt").write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read("yolo", yolo)


def test_bad_shapes_are_skipped_on_demand(tmp_path: Path) -> None:
    wrong = {**POLYGON, "shape_type": "point"}
    (tmp_path / "a.json").write_text(labelme(wrong, POLYGON), encoding="utf-8")
    (tmp_path / "b.json").write_text("nonsense", encoding="utf-8")
    found: list[str] = []
    split = read("labelme", tmp_path, lambda where, error: found.append(where)).only()
    assert [len(record.entities) for record in split.entities] == [1]
    assert found == [f"{tmp_path / 'a.json'}, shape 1", str(tmp_path / "b.json")]


JSON = st.recursive(
    st.none() | st.integers(-9, 99) | st.floats(allow_nan=False) | st.sampled_from("abc"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "shapes",
                    "points",
                    "label",
                    "imagePath",
                    "data",
                    "images",
                    "annotations",
                    "askmask",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("name", ["labelme", "label-studio", "coco"])
@given(part=JSON, place=st.sampled_from(["whole", "shape", "key"]))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_is_read_or_refused(
    name: str, part: Any, place: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    good = {"labelme": labelme(POLYGON), "label-studio": tasks(BRUSH), "coco": coco()}[name]
    content = json.loads(good)
    inner = {
        "labelme": lambda: content["shapes"],
        "label-studio": lambda: content[0]["annotations"][0]["result"],
        "coco": lambda: content["annotations"],
    }[name]()
    if place == "shape":
        inner[0] = part
    elif place == "key":
        inner[0] = dict.fromkeys(inner[0], part)
    else:
        content = part
    path = tmp_path_factory.mktemp("fuzz") / "x.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with suppress(DataError):
        assert isinstance(read(name, path).only().entities, tuple)
