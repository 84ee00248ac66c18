"""The page of ``graphcore view``: a compilation as one HTML file that needs no network and no server.

The page is `page.html` with the styles and the scripts of this folder and the data put in.  The scripts are plain
JavaScript: model.js reads the data, layout.js and graph.js draw the graph, text.js shows IR, source, kernels and
assembly side by side, memory.js the arena over time, main.js ties them together.
"""
from __future__ import annotations

import base64
import gzip
import html
import json
from pathlib import Path

_FOLDER = Path(__file__).parent
_SCRIPTS = ("model.js", "layout.js", "graph.js", "text.js", "memory.js", "main.js")


def page(data: dict, title: str) -> str:
    """The page that shows `data`: what `graphcore.inspect.as_json` gives.

    It may have a further entry ``profile``: {"launches": {number of a launch: seconds in a run}}.
    """
    text = json.dumps(data, separators=(",", ":")).encode()
    parts = {
        "TITLE": html.escape(title),
        "STYLE": _text("style.css"),
        "SCRIPT": "\n".join(_text(name) for name in _SCRIPTS),
        "DATA": base64.b64encode(gzip.compress(text, mtime=0)).decode(),
    }
    result = _text("page.html")
    for name, part in parts.items():
        result = result.replace(f"@{name}@", part)
    return result


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
