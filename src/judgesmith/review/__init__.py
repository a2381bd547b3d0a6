"""People: label, adjudicate and look, in a browser. Start at `review.Review`."""
