"""Training sets that others published: questions, responses, items, and their teachers' judgments.

Each kind turns a row into one `PublishedRow`; `readers.py` makes the four readers of it.
"""
