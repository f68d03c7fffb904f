"""Settings of all tests."""

from chromium import browser, visit
from hypothesis import settings

__all__ = ["browser", "visit"]

# A busy machine must not fail a test, and a failure must come back when the test is run again.
settings.register_profile("askmask", deadline=None, derandomize=True)
settings.load_profile("askmask")
