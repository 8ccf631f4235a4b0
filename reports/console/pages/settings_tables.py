"""Which tables of the API are there as CSV, and a saved web query for each."""

from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI, Request

from drivers.language import say
from reports.console.web import API, office

# What each table is called; one that is not here is named by what the API says of it.
NAMES: Final[dict[str, tuple[str, str]]] = {
    "capture": ("数据捕集率", "Capture rate"),
    "carbon/months": ("一年各月碳排放", "The months of a carbon year"),
    "checks-due": ("到期的校准、校验和审核", "Checks that are due"),
    "energy/{period}": ("能源报告各项", "Lines of the energy report"),
    "entries/template": ("填报表", "The table to fill in"),
    "exceedances": ("超标小时及处理", "Hours above the limit, and what was done"),
    "exchangers": ("换热器", "Heat exchangers"),
    "grade/documents": ("绩效分级文件与到期日", "Documents of the grade, with expiry"),
    "grade/{until}": ("绩效分级指标", "Indicators of the grade"),
    "journal": ("环保记录", "Journal"),
    "points": ("有数据的测点", "Points that have data"),
    "potlines/{line}/pots": ("系列各槽现状", "Pots of a line now"),
    "potlines/{line}/ranking": ("各槽电耗排名", "Pots by excess energy"),
    "pots/{line}/{pot}/curves": ("单槽曲线", "Curves of a pot"),
    "pots/{line}/{pot}/events": ("单槽事件", "Events of a pot"),
    "samples": ("测点数据导出", "Data of points"),
    "settings/instruments": ("计量器具与证书", "Instruments and certificates"),
    "settings/meters": ("计量点", "Meters by role"),
    "settings/rules": ("法规取值", "Rule values"),
    "stacks/{stack}/hours": ("排放口小时均值", "Hourly means of a stack"),
}


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
        said = (route.get("description") or route.get("summary") or path).splitlines()[0]
        text = say(*NAMES.get(path.removeprefix(f"{API}/"), (said, said)))
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
