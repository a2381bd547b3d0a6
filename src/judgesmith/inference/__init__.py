"""A judge put to use: opened from a run or an exported folder, and asked about any rows."""
