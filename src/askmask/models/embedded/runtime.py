"""Open an ONNX graph for the CPU."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from askmask.errors import WeightsError

__all__ = ["open_graph"]


def open_graph(path: Path) -> Any:
    """Return an onnxruntime session on all cores of this process, or OMP_NUM_THREADS of them.

    Raises:
        WeightsError: when the file is not a graph that this onnxruntime can run.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that wait by spinning would take the core from the caller's own work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no base
        raise WeightsError(f"{path}: cannot be run: {str(error).splitlines()[0]}") from error


def _threads() -> int:
    """Threads to compute on; 0 leaves the number to onnxruntime."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked):
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
