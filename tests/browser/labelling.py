"""What a person does on the page that labels."""

from typing import Any

READY = "[data-ready] article.item"


def item(page: Any) -> str:
    return str(page.get_attribute("article.item", "data-item"))


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def next_after(page: Any, before: str) -> str:
    page.wait_for_selector(f"article.item:not([data-item='{before}']), #slot > .panel")
    return item(page) if page.query_selector("article.item") else ""


def until_saved(page: Any) -> None:
    page.wait_for_selector(".saved[data-state=saved]")
