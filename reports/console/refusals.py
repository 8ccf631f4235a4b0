"""What a visitor is told when something cannot be done: one form for pages, pieces and the API."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from drivers.language import say
from drivers.model import ConfigError
from reports.console.desk import BusyError, FailedError
from reports.console.web import API, is_part, page, visitor

_log = logging.getLogger(__name__)


class Refusal(BaseModel):
    """Body of every answer of the API that is no success: what, where, what to do."""

    status: int
    problems: list[str]


def refuse(request: Request, status: int, problems: Sequence[str]) -> Response:
    """JSON below /api, a piece for htmx, else a whole page."""
    if request.url.path.startswith("/api"):
        return JSONResponse(Refusal(status=status, problems=list(problems)).model_dump(), status)
    if status == HTTPStatus.UNAUTHORIZED and not visitor(request).known:
        back = quote(request.url.path, safe="/") if request.method == "GET" else "/"
        if is_part(request):  # back to the page that holds the piece, not to the piece
            seen = request.headers.get("hx-current-url", "").partition("://")[2].partition("/")[2]
            back = quote(f"/{seen.partition('?')[0]}", safe="/")
            return Response(status_code=401, headers={"HX-Redirect": f"/login?next={back}"})
        return RedirectResponse(f"/login?next={back}", 303)
    template = "refused_part.html" if is_part(request) else "refused.html"
    return page(request, template, status=status, code=status, problems=list(problems))


def install(app: FastAPI) -> None:
    """Every error a route may raise becomes an answer in the visitor's language."""

    @app.exception_handler(ConfigError)
    async def config(request: Request, error: ConfigError) -> Response:
        return refuse(request, 422, error.problems)

    @app.exception_handler(BusyError)
    async def busy(request: Request, _: BusyError) -> Response:
        text = say("正在处理的请求太多，请稍后再试", "too many requests at once; try again soon")
        answer = refuse(request, 503, [text])
        answer.headers["Retry-After"] = "5"
        return answer

    @app.exception_handler(FailedError)
    async def failed(request: Request, error: FailedError) -> Response:
        text = say(
            f"程序出错（{error}），详情见服务日志", f"the program failed ({error}); see its log"
        )
        return refuse(request, 500, [text])

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        found = [
            f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
            for each in error.errors()
        ]
        return refuse(request, 422, found)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        answer = refuse(request, error.status_code, [_text(request, error)])
        for key, value in (error.headers or {}).items():
            answer.headers[key] = value
        return answer


def fell(request: Request, error: Exception) -> Response:
    """A fault of the program: the log has it, the visitor is told that it is there."""
    _log.error("%s %s", request.method, request.url.path, exc_info=error)
    text = say("程序出错，详情见服务日志", "the program failed; see its log")
    return refuse(request, 500, [text])


def _text(request: Request, error: HTTPException) -> str:
    known = {
        401: say(
            "请先登录" if not request.url.path.startswith(API) else "缺少有效的登录或令牌",
            "log in first, or send a valid token",
        ),
        403: say(
            "您的角色没有此项权限；请联系管理员",
            "your role has no right to this; ask the administrator",
        ),
        404: say("没有这一页或这条数据", "there is no such page or thing"),
        405: say("此地址不接受这种操作", "this address does not take that"),
        413: say("上传的文件太大", "the upload is too large"),
    }
    standard = HTTPStatus(error.status_code).phrase
    if error.detail and error.detail != standard:
        return str(error.detail)
    return known.get(error.status_code, standard)
