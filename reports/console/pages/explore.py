"""The page /explore: any point over any time."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from drivers.language import language, say
from reports.console.web import desk, needs, page

router = APIRouter()

SHOWN = 40  # points of the list; more are found by typing
PRESETS = ("1h", "3h", "24h", "7d", "35d", "1y")


@router.get("/explore", dependencies=[needs("see")])
async def show(request: Request) -> HTMLResponse:
    """The page; which points and which time is in its address, which the script reads."""
    return page(request, "explore.html", words=_words(), presets=_presets(), base=_base(request))


@router.get("/explore/points", dependencies=[needs("see")])
async def found(request: Request, q: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """The list of points that match, to choose from."""
    told = await desk(request).ask("figures.explore_points:points", keep_s=30, q=q, limit=SHOWN)
    return page(request, "explore_points.html", found=told, q=q)


def _base(request: Request) -> str:
    """As this browser reaches the console, for links that a spreadsheet follows."""
    return str(request.base_url).rstrip("/")


def _presets() -> list[tuple[str, str]]:
    names = (
        say("1 小时", "1 hour"),
        say("3 小时", "3 hours"),
        say("24 小时", "24 hours"),
        say("7 天", "7 days"),
        say("35 天", "35 days"),
        say("1 年", "1 year"),
    )
    return list(zip(PRESETS, names, strict=True))


def _words() -> dict[str, str]:
    """What the script says."""
    return {
        "lang": language(),
        "mean": say("平均", "mean"),
        "low": say("最小", "min"),
        "high": say("最大", "max"),
        "amount": say("增量", "increment"),
        "good": say("有效", "good"),
        "gap": say("无数据", "no data"),
        "invalid": say("无效", "not good"),
        "per": say("每", "per"),
        "time": say("时间（UTC+8）", "time (UTC+8)"),
        "raw": say("原始采样", "raw samples"),
        "windows": say("由窗口现算", "from windows"),
        "hours": say("由小时汇总", "from hourly sums"),
        "remove": say("移除", "remove"),
        "evidence": say("证据", "evidence"),
        "twoUnits": say(
            "一次最多显示两种单位；请先移除一个点", "two units at most; remove a point first"
        ),
        "eight": say("一次最多 8 个点", "at most 8 points at once"),
        "choose": say("请在左侧选择点", "choose points from the list"),
        "failed": say("读取失败", "could not be read"),
        "waiting": say("天尚未汇总，正在后台处理：", "days are not summed up yet; at work: "),
        "more": say("事件太多，只显示前 300 条；放大可看全部", "first 300 events; zoom in for all"),
        "rows": say("只列出前 500 行，全部请导出", "first 500 rows; export for all"),
        "none": say("此时段没有数据", "no data in this time"),
        "equipment": say("设备", "equipment"),
        "event": say("事件", "event"),
        "text": say("说明", "text"),
        "live": say("实时", "live"),
        "now": say("现在", "now"),
        "copied": say("已复制", "copied"),
        "to": say("至", "to"),
        "bucket": say("每格", "each step"),
        "noBad": say("此时段没有无效数据", "nothing was bad in this time"),
        "noEvents": say("此时段没有事件", "no events in this time"),
        "day": say("天", "d"),
        "hour": say("小时", "h"),
        "minute": say("分钟", "min"),
        "second": say("秒", "s"),
    }
