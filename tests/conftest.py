"""Settings of all tests."""

import os

# Before torch is imported: what small trainings learn depends on how sums are shared by threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from chromium import browser, visit
from fake_llm_server import llm_server
from hypothesis import settings

__all__ = ["browser", "llm_server", "visit"]

# A busy machine must not fail a test, and a failure must come back when the test is run again.
settings.register_profile("askmask", deadline=None, derandomize=True)
settings.load_profile("askmask")
