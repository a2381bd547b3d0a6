"""Pages made from results: one self-contained HTML file, the same in Markdown and JSON."""
