"""Starting askmask is quick: nothing heavy is imported before it is needed."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "onnxruntime", "cv2", "scipy", "mujoco")

REPORT = f"import sys; print('loaded:', *(m for m in {HEAVY} if m in sys.modules))"

HELP = """
import sys
from askmask.cli.main import main
sys.argv = ["askmask", "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


def loaded(code: str) -> list[str]:
    """Return the heavy packages that `code` loads in a new interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{REPORT}"], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1].split()[1:]


@pytest.mark.parametrize(
    "code",
    [
        "import askmask",
        "from askmask import Masks, Query, MaskType, read_image",
        "import askmask.formats.askmask",
        HELP,
    ],
    ids=["package", "nouns", "formats", "help"],
)
def test_loads_nothing_heavy(code: str) -> None:
    assert loaded(code) == []


def test_the_check_can_fail() -> None:
    assert loaded("import cv2") == ["cv2"]
