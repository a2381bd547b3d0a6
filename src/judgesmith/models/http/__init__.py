"""Models behind HTTP: two wire protocols, one client, a cache, and a ledger of every call."""
