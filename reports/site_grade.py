"""``[grade]`` of ``site.toml``: what the plant is graded as, its own tables, its DCS points."""

from pathlib import Path

from drivers.config import Strict
from reports.site_stacks import Point


class Grade(Strict):
    """
    ``industries`` as in the indicator tables; () = electrolytic aluminium and those of the stacks.

    ``dcs`` are the points of the control system whose history a reviewer asks for; () = production
    and control points of the stacks. ``tables`` are official tables the plant typed itself.
    """

    industries: tuple[str, ...] = ()
    generations: tuple[str, ...] = ()  # () = all that apply in the province
    tables: tuple[Path, ...] = ()
    dcs: tuple[Point, ...] = ()


class SiteGrade(Strict):
    """What ``site.toml`` says for the performance grade."""

    grade: Grade = Grade()
