"""Makes the toy scenes of the language's tests known here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "language"))
