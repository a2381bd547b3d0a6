"""A judge over HTTP: its own API, OpenAI's, a page to try it, and numbers for operators."""
