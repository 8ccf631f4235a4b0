"""Which tables of the API are there as CSV, and a saved web query for each."""

from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute

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
    for route in app.routes:
        if not isinstance(route, APIRoute) or not route.path.startswith(API):
            continue
        queries = {each.name: each for each in route.dependant.query_params}
        if "format" not in queries or "GET" not in (route.methods or ()):
            continue
        required = tuple(n for n, each in queries.items() if each.field_info.is_required())
        parts = tuple(each.name for each in route.dependant.path_params)
        asked = "&".join(["format=csv", *(f"{name}=…" for name in required)])
        rest = tuple(sorted(set(queries) - set(required) - {"format"}))
        text = (route.summary or route.description or route.name).splitlines()[0]
        address = f"{base}{route.path}?{asked}"
        found.append(TableLink(route.path, address, text, (*parts, *required), rest))
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
