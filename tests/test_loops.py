"""Loops that numba compiles; those over codes are tested in metrics/test_overlap.py."""

import gc
import subprocess
import sys

import pytest

from askmask import loops
from askmask.collector import uncollected


def test_numba_is_not_started_for_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "_INSTALLED", True)
    assert (loops.worth(1_000), loops.worth(1_000_000)) == (False, True)
    monkeypatch.setattr(loops, "_INSTALLED", False)
    assert not loops.worth(1_000_000)


def test_neither_numba_nor_msgspec_is_loaded_before_it_is_needed() -> None:
    code = "import sys, askmask.formats.askmask, askmask.metrics; print([*sys.modules])"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'numpy'" in names.stdout
    assert "numba" not in names.stdout
    assert "msgspec" not in names.stdout


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_as_it_was_afterwards(enabled: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with uncollected():
            assert not gc.isenabled()
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()


def test_numba_does_not_load_scipy_but_leaves_it_as_it_is() -> None:
    for name in ("numba", "scipy"):
        pytest.importorskip(name)
    code = """if True:
        import sys
        from askmask import compiled
        compiled._numba()
        print("numba.np.arraymath" in sys.modules, "scipy.linalg" in sys.modules)
        import scipy.linalg.cython_blas
        print(hasattr(scipy.linalg.cython_blas, "__pyx_capi__"))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False", "True"]
