"""A hook of mkdocs: links to files outside of docs/ become the names of those files.

The pages are read in a clone, too, where such links lead to the code. A site has no code to lead to.
"""

import re
from typing import Any, Final

_OUTSIDE: Final = re.compile(r"\[([^\]]+)\]\(\.\./([^)]+)\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return a page's text with every link to outside of docs/ as the path that it leads to."""
    return _OUTSIDE.sub(_path, markdown)


def _path(link: re.Match[str]) -> str:
    text, path = link.groups()
    return f"`{path}`" if text.strip("`").rstrip("/") in path else f"{text} (`{path}`)"
