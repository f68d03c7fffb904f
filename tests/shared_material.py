"""Benchmark folders that lie beside the checkout on some machines; tests skip where they do not."""

import os
from pathlib import Path

_BESIDE = Path(__file__).parent.parent.parent / "shared"

SHARED = Path(os.environ.get("ASKMASK_SHARED", _BESIDE))
"""Folder of shared material; ASKMASK_SHARED names another."""

BENCHMARKS = [SHARED / name for name in ("pantry", "pantry-learn") if (SHARED / name).is_dir()]
"""Benchmark folders of rendered scenes with written queries."""
