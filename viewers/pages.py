"""The pages people see: sign-in, worklist, microscope, ops. Shells only; the browser fetches
the data. A page function finds the reader, picks the template, and renders."""

import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from storage.records.people import Principal, Right, allowed
from viewers.access import guarded
from viewers.i18n import (
    LANGUAGE_COOKIE,
    LANGUAGES,
    LOCALE,
    catalogue,
    format_moment,
    language_of,
    mark,
    translator,
)
from viewers.modules import modules

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"
HASHED_SUFFIXES: Final = {".js", ".css", ".svg", ".png", ".po"}
ONE_YEAR: Final = 365 * 24 * 3600
TABS: Final = (
    ("/cases", mark("My cases"), Right.REPORT, "cases"),
    ("/lab", mark("Laboratory"), Right.RUN_LAB, "lab"),
    ("/cases", mark("Cases"), Right.ENTER_CASES, "cases"),
    ("/cases", mark("Questions to me"), Right.ANSWER, "cases"),
    ("/", mark("Slides"), Right.READ_SLIDES, "worklist"),
    ("/turnaround", mark("Turnaround"), Right.SEE_TURNAROUND, "turnaround"),
    ("/repairs", mark("Repairs"), Right.REPAIR, "repairs"),
    ("/ops", mark("Operations"), Right.OPERATE, "ops"),
)
"""Address, word, the right it takes, the page; of several with one address the first counts."""
ROLE_NAMES: Final = {
    "pathologist": mark("Pathologist"),
    "technician": mark("Biomedical laboratory scientist"),
    "secretary": mark("Secretary"),
    "ops": mark("Operations"),
    "administrator": mark("Administrator"),
    "consultant": mark("Consultant"),
    "researcher": mark("Researcher"),
    "guest": mark("Guest"),
    "device": mark("Device"),
    "node": mark("DICOM node"),
}
WRONG_NAME_OR_PASSWORD: Final = mark("The name or the password is not right.")
TOO_MANY_TRIES: Final = mark("Too many tries. Wait a minute, then try again.")
ERROR_TEXTS: Final = {
    403: (
        mark("You do not have access to this page"),
        mark("An administrator can give you access."),
    ),
    404: (
        mark("There is nothing at this address"),
        mark("The slide may have been removed, or the address is incomplete."),
    ),
    500: (
        mark("Something went wrong in svartid"),
        mark("The error has been logged. Try again; slides already read in are not affected."),
    ),
}

environment = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)


@cache
def static_hash() -> str:
    """One short hash over all that is served as static, so that a change gets a new path."""
    digest = hashlib.sha256()
    for folder in (STATIC, LOCALE):
        for path in sorted(folder.rglob("*")):
            if path.suffix in HASHED_SUFFIXES and path.is_file():
                digest.update(str(path.relative_to(HERE)).encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def asset(path: str) -> str:
    """The address of a static file; imports between modules inherit the hash in it."""
    return f"/static/{static_hash()}/{path}"


def icon(name: str) -> Markup:
    """One icon from the sprite; the words beside it carry the meaning."""
    address = f"{asset('icons/sprite.svg')}#{name}"
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}"></use></svg>').format(
        address
    )


def safe_next(target: str | None) -> str:
    """A same-site relative address to return to, or the worklist."""
    if target is None or not target.startswith("/") or target.startswith("//"):
        return "/"
    if "\\" in target or any(ord(character) < 0x20 for character in target):
        return "/"
    return target


def tabs_of(principal: Principal | None) -> list[tuple[str, str, str]]:
    """The pages somebody has in the bar: address, word, page."""
    shown: dict[str, tuple[str, str, str]] = {}
    for address, word, right, page in TABS:
        if allowed(principal, right):
            shown.setdefault(address, (address, word, page))
    return list(shown.values())


def home_of(principal: Principal) -> str:
    """Where somebody starts to work: the first page of the bar."""
    tabs = tabs_of(principal)
    return tabs[0][0] if tabs else "/"


def render(request: Request, template: str, status: int = 200, **values: object) -> Response:
    """Render one page in the reader's language."""
    language = language_of(request)
    principal = getattr(request.state, "principal", None)
    html = environment.get_template(template).render(
        asset=asset,
        icon=icon,
        modules=modules,
        page=template.removesuffix(".html"),
        language=language,
        languages=LANGUAGES,
        principal=principal,
        role_names=ROLE_NAMES,
        tabs=tabs_of(principal),
        may_upload=allowed(principal, Right.DELIVER_SLIDES),
        t=translator(language),
        here=quote(_address(request), safe=""),
        version=static_hash(),
        **values,
    )
    headers = {"Cache-Control": "no-store", "Vary": "Cookie, Accept-Language"}
    return HTMLResponse(html, status_code=status, headers=headers)


def render_signin(
    request: Request,
    next_page: str | None,
    error: str | None = None,
    status: int = 200,
    name: str = "",
) -> Response:
    """The sign-in page; `error` is one of the marked texts above, `name` what was typed."""
    values = {"error": error, "next": safe_next(next_page), "name": name}
    return render(request, "signin.html", status, **values)


def render_error(
    request: Request,
    status: int,
    title_key: str | None = None,
    detail_key: str | None = None,
) -> Response:
    """An error page; without texts of its own it says what the status usually means."""
    title, detail = ERROR_TEXTS.get(status, ERROR_TEXTS[500])
    return render(
        request,
        "error.html",
        status,
        code=status,
        title=title_key or title,
        detail=detail_key or detail,
        moment=format_moment(datetime.now(UTC), language_of(request)),
    )


async def worklist(request: Request) -> Response:
    """The worklist: the first page of everybody who reads slides."""
    return render(request, "worklist.html")


async def viewer(request: Request) -> Response:
    """The microscope on one slide."""
    return render(request, "viewer.html", slide_id=request.path_params["slide_id"])


async def ops(request: Request) -> Response:
    """What is stuck and what runs, for those who keep the system running."""
    return render(request, "ops.html")


async def signin(request: Request) -> Response:
    """The sign-in page, or straight on for those who are signed in."""
    if request.state.principal is not None:
        return RedirectResponse(safe_next(request.query_params.get("next")), 303)
    return render_signin(request, next_page=request.query_params.get("next"))


async def choose_language(request: Request) -> Response:
    """Keep the reader's choice of language and go back to where the choice was made."""
    code = request.path_params["code"]
    if code not in LANGUAGES:
        return render_error(request, 404)
    response = RedirectResponse(safe_next(request.query_params.get("next")), 303)
    response.set_cookie(
        LANGUAGE_COOKIE, code, max_age=ONE_YEAR, path="/", httponly=True, samesite="lax"
    )
    return response


async def browser_catalogue(request: Request) -> Response:
    """The texts of one language for the browser; its address changes when they do."""
    language = request.path_params["language"]
    if language not in LANGUAGES:
        return JSONResponse({"error": "not_found"}, 404)
    fresh = request.query_params.get("v") == static_hash()
    caching = f"public, max-age={ONE_YEAR}, immutable" if fresh else "no-cache"
    return JSONResponse(dict(catalogue(language)), headers={"Cache-Control": caching})


def _address(request: Request) -> str:
    if request.url.path.startswith("/signin"):
        target = safe_next(request.query_params.get("next"))
        return "/signin" if target == "/" else f"/signin?next={quote(target, safe='')}"
    query = request.url.query
    return safe_next(request.url.path + (f"?{query}" if query else ""))


_GET = ("GET",)
routes = [
    guarded("/", worklist, Right.READ_SLIDES, _GET),
    guarded("/slides/{slide_id}", viewer, Right.READ_SLIDES, _GET),
    guarded("/ops", ops, Right.OPERATE, _GET),
    guarded("/signin", signin, Right.PUBLIC, _GET),
    guarded("/language/{code}", choose_language, Right.PUBLIC, _GET),
    guarded("/static-catalogue/{language}.json", browser_catalogue, Right.PUBLIC, _GET),
]
