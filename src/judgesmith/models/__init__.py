"""The seam to anything that answers a prompt."""
