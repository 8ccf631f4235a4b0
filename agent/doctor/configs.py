"""Configs as the doctor reads them: a mistake is told once, by ``check``; other checks go on."""

import os
from collections.abc import Iterable
from pathlib import Path

from agent.edge.config import GatewayConfig, load_gateway
from agent.historian.config import HistorianConfig, load_historian
from drivers.doctor import Finding, Given, Text
from drivers.model import ConfigError


def gateway_of(given: Given) -> GatewayConfig | None:
    """None where none was named, or where it is wrong."""
    try:
        return load_gateway(given.gateway) if given.gateway else None
    except (ConfigError, OSError):
        return None


def historian_of(given: Given) -> HistorianConfig | None:
    """None where none was named, or where it is wrong."""
    try:
        return load_historian(given.historian) if given.historian else None
    except (ConfigError, OSError):
        return None


def check(given: Given) -> Iterable[Finding]:
    """Every mistake of both configs."""
    for path, load in ((given.gateway, load_gateway), (given.historian, load_historian)):
        if path is not None:
            yield from _one(path, load)


def _one(path: Path, load: object) -> Iterable[Finding]:
    where = str(path)
    if path.exists() and not os.access(path, os.R_OK):
        yield Finding(
            "warn",
            "config",
            Text(
                "当前用户无权读取，相关检查均未执行",
                "this user may not read it; its checks are left out",
            ),
            Text(
                "请以服务用户或 root 运行：sudo -u smelter-agent smelter doctor",
                "run as the service's user or root: sudo -u smelter-agent smelter doctor",
            ),
            where,
        )
        return
    try:
        found = load(path) if callable(load) else None
    except ConfigError as error:
        for problem in error.problems:
            yield Finding(
                "bad",
                "config",
                Text(problem, problem),
                Text("改正后再运行 smelter doctor", "mend it, then run smelter doctor again"),
                path.parent.resolve().as_posix(),
            )
        return
    if isinstance(found, GatewayConfig):
        devices, points = len(found.devices), len(found.points)
        yield Finding(
            "ok",
            "config",
            Text(
                f"正确：{devices} 台设备，{points} 个测点",
                f"right: {devices} devices, {points} points",
            ),
            where=where,
        )
    elif isinstance(found, HistorianConfig):
        views = ", ".join(found.view_names)
        yield Finding(
            "ok", "config", Text(f"正确：存储 {views}", f"right: stores {views}"), where=where
        )
