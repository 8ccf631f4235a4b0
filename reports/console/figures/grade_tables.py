"""Official indicator tables: which there are, the form to type one, and checking a typed one."""

import shutil
from pathlib import Path
from typing import Any

from drivers.language import language, say
from drivers.model import ConfigError
from reports.chain import write_whole
from reports.console.office import Office
from reports.grade.listing import GENERAL, find, known
from reports.grade.overlay import read_own_table
from reports.grade.sheet import xlsx_template
from reports.grade.table import INDUSTRIES
from reports.rules.listing import CONFIRMED_TEXT

KINDS = ("official", "secondary", "unverified", "site", "absent")


def listed(office: Office) -> list[dict[str, Any]]:
    """Every table of the program, with those of the site laid over them, by how confirmed it is."""
    return [
        {
            "name": table.name,
            "title": table.file.title,
            "industry": INDUSTRIES.get(table.file.industry, GENERAL).of(language()),
            "generation": table.file.generation,
            "counts": {
                kind: sum(each.confirmed == kind for each in table.indicators) for kind in KINDS
            },
        }
        for table in known(office.site).values()
    ]


def kind_names_of(office: Office) -> dict[str, str]:  # noqa: ARG001 - every job gets it
    """What each degree of confirmation is called."""
    return {kind: CONFIRMED_TEXT[kind].of(language()) for kind in KINDS}


def template(office: Office, name: str) -> str:
    """The path of a workbook to type that table into. Raises ConfigError for an unknown one."""
    table = find(known(office.site), name)
    folder = office.data / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"grade-{table.name}.xlsx"
    write_whole(path, xlsx_template(table))
    return str(path)


def check(office: Office, paths: list[str]) -> dict[str, Any]:
    """
    Every mistake of a typed table; ``paths`` are the table and the document it was typed from.

    Nothing is kept: site.toml names the tables that count. Raises ConfigError.
    """
    table = next((Path(x) for x in paths if Path(x).suffix.lower() in {".xlsx", ".toml"}), None)
    if table is None:
        told = "请上传填好的指标表（.xlsx 或 .toml）", "upload the table you typed (.xlsx or .toml)"
        raise ConfigError([say(*told)])
    for other in map(Path, paths):
        if other != table:
            shutil.copyfile(other, table.with_name(other.name))  # it names what lies beside it
    read = read_own_table(table)
    problems = [each.replace(f"{table.parent}/", "") for each in read.problems]
    own = read.own
    return {
        "file": table.name,
        "problems": problems,
        "table": "" if own is None else own.table,
        "title": "" if own is None else own.title,
        "entered_by": "" if own is None else own.entered_by,
        "checked_by": "" if own is None else own.checked_by,
        "indicators": 0 if own is None else len(own.indicators),
        "site": str(office.site_file.name),
    }
