"""Rows of a file through a judge: read, checked, judged, written, in memory that does not grow."""
