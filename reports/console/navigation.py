"""The way to every page: names, addresses, what a visitor may see of them."""

from dataclasses import dataclass
from typing import Final

from drivers.language import say
from reports.console.doors.roles import Right, Visitor
from reports.values import Text


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation."""

    path: str
    name: Text
    right: Right = Right.SEE


PLACES: Final = (
    Place("/", Text(zh="今日", en="Today")),
    Place("/potlines", Text(zh="电解系列", en="Potlines")),
    Place("/stacks", Text(zh="排放口", en="Stacks")),
    Place("/energy", Text(zh="能源与余热", en="Energy and heat")),
    Place("/carbon", Text(zh="碳排放", en="Carbon")),
    Place("/grade", Text(zh="绩效分级", en="Grade")),
    Place("/evidence", Text(zh="证据", en="Evidence")),
    Place("/explore", Text(zh="数据浏览", en="Explore")),
    Place("/settings", Text(zh="设置", en="Settings")),
    Place("/help", Text(zh="帮助", en="Help")),
)


@dataclass(frozen=True, slots=True)
class Step:
    """As the template shows it."""

    path: str
    name: str
    current: bool


def way(who: Visitor, here: str) -> list[Step]:
    """What the visitor may open."""
    return [
        Step(each.path, say(each.name.zh, each.name.en), _inside(here, each.path))
        for each in PLACES
        if who.may(each.right)
    ]


def _inside(here: str, path: str) -> bool:
    return here == path if path == "/" else here == path or here.startswith(path + "/")
