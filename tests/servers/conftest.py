"""The fault server and the official clients as fixtures."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
from clients import our_client, reset_server, shared_server, their_client
from running import fault_server_fixture

__all__ = ["fault_server_fixture", "our_client", "reset_server", "shared_server", "their_client"]
