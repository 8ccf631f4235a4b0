"""The API described: OpenAPI from the routes, with who may ask, and the one form of refusals."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from drivers.language import language, say
from reports.console.doors.roles import RIGHT_NAMES, Right
from reports.console.refusals import Refusal
from reports.console.web import API

Node = dict[str, Any]
REFUSED: Final = {
    "400": ("请求有误", "the request is malformed"),
    "401": ("未登录或令牌无效", "not logged in, or no valid token"),
    "403": ("角色或令牌没有此项权限", "the role or token has no right to this"),
    "404": ("没有这条数据", "there is no such thing"),
    "408": ("发送过慢", "sent too slowly"),
    "409": ("与现有数据冲突", "it contradicts what is there"),
    "413": ("上传内容过大", "the upload is too large"),
    "414": ("地址太长", "the address is too long"),
    "415": ("文件类型不接受", "that type is not taken"),
    "422": ("参数或内容有误", "a parameter or the content is wrong"),
    "429": ("请求过于频繁", "too many requests"),
    "503": ("正在处理的请求太多，请稍后再试", "too many at once; try again soon"),
}
FORMS: Final = {  # what ?format= may ask for beside JSON
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
METHODS: Final = ("get", "post", "put", "patch", "delete")


def description(app: FastAPI) -> Node:
    """In the visitor's language; made once for each."""
    kept: dict[str, Node] | None = getattr(app.state, "description", None)
    if kept is None:
        kept = app.state.description = {}
    lang = language()
    if lang not in kept:
        kept[lang] = _made(app)
    return kept[lang]


def _made(app: FastAPI) -> Node:
    from reports.console.app import rights

    found = get_openapi(
        title=say("铝厂证据台接口", "Smelter console API"),
        version=app.version,
        description=_about(),
        routes=app.routes,
    )
    parts = found.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Refusal"] = Refusal.model_json_schema()
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "excel": {
            "type": "http",
            "scheme": "basic",
            "description": say("用户名 token，密码填令牌", "user token, the token as password"),
        },
    }
    asked = rights()
    for path, method, operation in _operations(found):
        _complete(operation, path, asked.get((method.upper(), path)))
    return found


def _about() -> str:
    return say(
        "每个页面背后的数据。时间为北京时间或 UTC 纳秒，数值为 null 表示没有数据，不是零。"
        "列表有上限并可翻页（limit、after）。错误一律为 Refusal：哪里错、怎么改。",
        "What is behind every page. Times are of the plant (+08:00) or ns UTC; null is no data, "
        "never zero. Lists are bounded and paged (limit, after). Errors are a Refusal: what, "
        "where, what to do.",
    )


def _operations(found: Node) -> Iterator[tuple[str, str, Node]]:
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield path, method, operation


def _complete(operation: Node, path: str, right: str | None) -> None:
    """Group, right, and every refusal that the console itself may give."""
    operation["tags"] = [path.removeprefix(API + "/").split("/")[0]]
    answers = operation.setdefault("responses", {})
    for status, told in REFUSED.items():
        body = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
        answers[status] = {"description": say(*told), "content": body}
    tables = answers.get("200", {}).get("content", {})
    for given in operation.get("parameters", ()):
        forms = given.get("schema", {}).get("enum", ()) if given["name"] == "format" else ()
        for form in [FORMS[each] for each in forms if each in FORMS]:
            tables.setdefault(form, {"schema": {"type": "string"}})
    if right is not None:
        operation["security"] = [{"token": []}, {"excel": []}]
        operation["x-right"] = right


def operations(found: Node) -> list[Node]:
    """For a page: groups of addresses with parameters, rights and answers."""
    groups: dict[str, list[Node]] = {}
    for path, method, operation in _operations(found):
        right = operation.get("x-right")
        groups.setdefault(operation["tags"][0], []).append(
            {
                "path": path,
                "method": method.upper(),
                "id": operation["operationId"],
                "summary": operation.get("summary", ""),
                "text": operation.get("description", ""),
                "right": RIGHT_NAMES[Right(right)].of(language()) if right else "",
                "parameters": [_parameter(each) for each in operation.get("parameters", ())],
                "body": _body(found, operation),
                "answers": _answers(found, operation),
            }
        )
    return [{"name": name, "operations": each} for name, each in sorted(groups.items())]


def _parameter(given: Node) -> Node:
    schema = given.get("schema", {})
    any_of = [each.get("type", "") for each in schema.get("anyOf", ())]
    bounds = {
        key: schema[key]
        for key in ("enum", "default", "minimum", "maximum", "maxLength", "pattern")
        if schema.get(key) not in (None, "", [])
    }
    return {
        "name": given["name"],
        "place": given["in"],
        "required": given.get("required", False),
        "type": schema.get("type") or " | ".join(any_of),
        "text": given.get("description", "") or schema.get("description", ""),
        "bounds": ", ".join(f"{key} {value}" for key, value in bounds.items()),
    }


def _body(found: Node, operation: Node) -> list[Node]:
    content = operation.get("requestBody", {}).get("content", {})
    return [
        {"type": kind, "fields": _fields(found, each.get("schema", {}))}
        for kind, each in content.items()
    ]


def _answers(found: Node, operation: Node) -> list[Node]:
    good = {key: each for key, each in operation["responses"].items() if key.startswith("2")}
    return [
        {"status": status, "type": kind, "fields": _fields(found, each.get("schema", {}))}
        for status, answer in good.items()
        for kind, each in answer.get("content", {}).items()
    ]


def _fields(found: Node, schema: Node) -> list[Node]:
    """Names and types of an object, one level deep."""
    name = schema.get("$ref", "").rpartition("/")[2]
    whole = found["components"]["schemas"].get(name, schema)
    return [
        {"name": key, "type": _type(each), "text": each.get("description", "")}
        for key, each in whole.get("properties", {}).items()
    ]


def _type(schema: Node) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(_type(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"[{_type(schema.get('items', {}))}]"
    return str(schema.get("type", "any"))
