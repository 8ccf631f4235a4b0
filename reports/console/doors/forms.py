"""Is a form our own: it comes from a page of ours, and carries the word of its session."""

from urllib.parse import urlsplit

from fastapi import HTTPException, Request

from drivers.language import say
from reports.console.doors.sessions import csrf_of, same

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def from_elsewhere(request: Request, *, secure: bool = False, program: bool = False) -> bool:
    """
    A request that changes something and was sent by another site's page, or by no page at all.

    Browsers say ``Sec-Fetch-Site`` (to a TLS or loopback address) or ``Origin``; one must be there.
    A ``program`` shows a token and says neither; a browser that keeps one for Basic says both.
    """
    if request.method in SAFE:
        return False
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is None and origin is None:
        return not program
    if site is not None and site != "same-origin":
        return True
    if origin is None:
        return False
    named = urlsplit(origin)
    weaker = secure and named.scheme != "https"  # the same name without TLS is anybody's
    return weaker or named.netloc != request.headers.get("host", "")


async def own_form(request: Request) -> None:
    """Asked for each act by session. Raises HTTPException 403 without the session's word."""
    secret: str = getattr(request.state, "secret", "")
    if request.method in SAFE or not secret:
        return
    given = request.headers.get("x-csrf-token", "")
    if not given and request.headers.get("content-type", "").startswith(FORMS):
        field = (await request.form()).get("csrf")
        given = field if isinstance(field, str) else ""
    if not same(given, csrf_of(secret)):
        raise HTTPException(
            403,
            say(
                "表单已过期，请刷新页面后重新提交",
                "the form is no longer valid: load the page again and send it once more",
            ),
        )
