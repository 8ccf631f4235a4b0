"""Which tables of the API are there as CSV, and a saved web query for each."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request

from reports.console.web import API, office


@dataclass(frozen=True, slots=True)
class TableLink:
    """``path`` with its ``{…}`` as the API has it; ``address`` whole, for a spreadsheet."""

    path: str
    address: str
    text: str
    needed: tuple[str, ...]  # parts of the path, and queries without a default
    optional: tuple[str, ...]

    @property
    def file(self) -> str:
        """A name for its saved query."""
        return self.path.removeprefix(f"{API}/").replace("/", "-").replace("{", "").replace("}", "")


def tables(request: Request) -> list[TableLink]:
    """Every GET of the API that takes ``format``, by path."""
    app: FastAPI = request.app
    base = (office(request).site.console.address or str(request.base_url)).rstrip("/")
    found = []
    for path, methods in app.openapi()["paths"].items():
        route: dict[str, Any] = methods.get("get", {})
        asked = {each["name"]: each for each in route.get("parameters", ())}
        if not path.startswith(API) or "format" not in asked:
            continue
        parts = tuple(name for name, each in asked.items() if each["in"] == "path")
        queries = [each for each in asked.values() if each["in"] == "query"]
        required = tuple(each["name"] for each in queries if each.get("required"))
        rest = sorted({each["name"] for each in queries} - set(required) - {"format"})
        address = "&".join([f"{base}{path}?format=csv", *(f"{name}=…" for name in required)])
        text = (route.get("description") or route.get("summary") or path).splitlines()[0]
        found.append(TableLink(path, address, text, (*parts, *required), tuple(rest)))
    return sorted(found, key=lambda each: each.path)


def iqy(table: TableLink) -> str:
    r"""
    The text of an ``.iqy`` file; Excel asks for what stands in ``["…"]`` when it opens it.

    Four lines (type, version, address, nothing to post), then settings; lines end with \r\n.
    """
    address = table.address
    for name in table.needed:
        ask = f'["{name}","{name}"]'
        address = address.replace(f"{name}=…", f"{name}={ask}").replace(f"{{{name}}}", ask)
    settings = ("Selection=EntirePage", "Formatting=None", "PreFormattedTextToColumns=True")
    more = ("ConsecutiveDelimitersAsOne=False", "SingleBlockTextImport=False")
    return "\r\n".join(("WEB", "1", address, "", *settings, *more, ""))
