"""Tables of the ``quality-plan`` report about the house: versions, people, boundary, archive."""

from collections.abc import Sequence

from reports.chapters import Table
from reports.conclude import words
from reports.plan.plan import Plan
from reports.plan.report_tables import columns, department
from reports.plan.words import FREQUENCY, NONE, NOT_STATED, same, text
from reports.site import Names, Site
from reports.values import Text


def versions(plan: Plan) -> Table:
    """Revision log, oldest first."""
    return Table(
        id="plan_versions",
        title=text("版本与修订记录", "Versions"),
        columns=columns(
            ("版本号", "Version", 10),
            ("日期", "Date", 12),
            ("编制人", "Author", 14),
            ("制定或修订内容、原因", "What and why", 60),
        ),
        rows=tuple((x.number, x.on.isoformat(), x.author, x.reason) for x in plan.version),
    )


def departments(plan: Plan) -> Table:
    """Who answers for which data."""
    return Table(
        id="plan_departments",
        title=text("部门与联系人", "Departments and contacts"),
        columns=columns(
            ("部门编号", "Id", 14),
            ("部门", "Department", 20),
            ("联系人", "Contact", 14),
            ("电话", "Telephone", 16),
            ("数据职责", "Duty", 44),
        ),
        rows=tuple((x.id, x.name, x.contact, x.phone, x.duty) for x in plan.department),
    )


def roles(plan: Plan) -> Table:
    """Who does what."""
    return Table(
        id="plan_roles",
        title=text("岗位职责", "Roles"),
        columns=columns(
            ("岗位", "Role", 18),
            ("人员", "Person", 14),
            ("部门", "Department", 14),
            ("职责", "Duty", 50),
        ),
        rows=tuple((x.name, x.person, department(plan, x.department), x.duty) for x in plan.role),
    )


def training(plan: Plan) -> Table:
    """Trainings planned or held."""
    return Table(
        id="plan_training",
        title=text("培训", "Training"),
        columns=columns(("时间", "When", 14), ("内容", "Topic", 40), ("人员", "Who", 30)),
        rows=tuple((x.on, x.topic, x.who) for x in plan.training),
    )


def enterprise(site: Site, plan: Plan) -> Table:
    """Who the enterprise is, as the site file says; what nobody wrote is said so."""
    firm = site.enterprise
    name = site.operator or site.name
    return _facts(
        "plan_enterprise",
        text("基本情况", "Facts"),
        (
            (text("单位名称", "Enterprise"), words(name)),
            (text("统一社会信用代码", "Unified credit code"), site.credit_code),
            (text("单位地址", "Address"), _given(firm.address)),
            (
                text("生产场所地址", "Production site"),
                _given(firm.production_site),
            ),
            (text("行业分类代码", "Sector code, GB/T 4754"), firm.industry_code),
            (text("法定代表人", "Legal representative"), firm.legal_representative),
            (text("排污许可证编号", "Discharge permit"), firm.discharge_permit),
            (text("主要产品", "Products"), plan.boundary.products),
        ),
    )


def _given(names: Names | None) -> Text:
    return NOT_STATED if names is None else words(names)


def boundary(plan: Plan) -> Table:
    """What is inside, at both levels."""
    about = plan.boundary
    return _facts(
        "plan_boundary",
        text("核算边界", "Boundary"),
        (
            (text("铝电解工序", "Electrolysis processes"), about.process),
            (text("企业层级", "Enterprise"), about.enterprise),
            (text("不在边界内", "Not inside"), about.excluded or NONE),
        ),
    )


def archive(plan: Plan) -> Table:
    """How data are checked and kept."""
    return _facts(
        "plan_archive",
        text("内部审核与档案", "Internal audit and archive"),
        (
            (text("内部审核", "Internal audit"), plan.audit.text),
            (text("审核频次", "How often"), FREQUENCY[plan.audit.frequency]),
            (text("审核部门", "By"), department(plan, plan.audit.department)),
            (text("档案保存年限", "Records are kept, years"), same(plan.archive.years)),
            (text("保存地点", "Where"), plan.archive.place),
            (text("档案管理", "Archive"), plan.archive.text),
        ),
    )


def _facts(identity: str, title: Text, rows: Sequence[tuple[Text, Text | str | None]]) -> Table:
    """Names and values as a table, so that versions can be compared row by row."""
    return Table(
        id=identity,
        title=title,
        columns=columns(("项目", "Item", 24), ("内容", "What", 80)),
        rows=tuple((name, value or NOT_STATED) for name, value in rows),
    )
