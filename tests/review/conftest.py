"""Reviews and the people who work on them."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
