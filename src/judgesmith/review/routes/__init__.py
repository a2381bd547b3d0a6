"""The routes of the review app, by page."""
