"""Browse a run: an index of its record files, filters, full-text search, the story of one item."""
