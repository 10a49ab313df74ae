"""What no route gets to see: strange hosts, other sites' commands, missing tokens, big bodies."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rehearse.studio.problems import Refused, problem

COOKIE = "rehearse_token"
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob: data:",
            "media-src 'self' blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_READING = ("GET", "HEAD", "OPTIONS")
_UPLOADS = ("/api/images", "/api/clips", "/api/projects/import")
"""Their routes count for themselves, against larger limits."""


class Guard:
    """ASGI middleware. hosts: names this server answers to, beside loopback. allowed: further ones, from
    whose pages commands are taken also where a proxy asks under another name. json_bytes: of a command."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str | None,
        hosts: Iterable[str],
        json_bytes: int,
        allowed: Iterable[str] = (),
    ) -> None:
        self._app = app
        self._token = token
        self._allowed = {host.lower() for host in allowed}
        self._hosts = {*LOOPBACK, *(host.lower() for host in hosts), *self._allowed}
        self._most = json_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    said.setdefault(name, value)
            await send(message)

        if refusal is not None:
            await refusal(scope, receive, sending)
        elif scope["path"] in _UPLOADS:
            await self._app(scope, receive, sending)
        else:
            await self._limited(scope, receive, sending, headers)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if _name_of(host) not in self._hosts:
            # A page on a name that was pointed at this machine would count as same-origin.
            return problem(
                421,
                f"this server does not answer to the name {host[:100]!r}; if it is yours, start the studio "
                "with --allow-host and that name",
            )
        if scope["method"] not in _READING:
            origin = headers.get("origin")
            if origin is not None and not self._is_own(origin, host):
                return problem(403, f"commands from pages of {origin[:100]} are not taken")
            if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
                return problem(403, "commands from pages of other sites are not taken")
        return self._without_token(scope, headers)

    def _is_own(self, origin: str, host: str) -> bool:
        """Whether a page of this origin is the studio's. A proxy may ask under a name of its own, so names
        that were allowed by name count whatever was asked for."""
        place = urlsplit(origin).netloc.lower()
        return place == host.lower() or _name_of(place) in self._allowed

    def _without_token(self, scope: Scope, headers: Headers) -> Response | None:
        if self._token is None or scope["path"] == "/api/health":
            return None
        kind, _, word = headers.get("authorization", "").partition(" ")
        if (kind.lower() == "bearer" and self._is(word)) or self._is(_cookie(headers)):
            return None
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if not scope["path"].startswith("/api/") and self._is(query.get("token", [""])[0]):
            # Into a cookie and out of the address, so that it stays out of histories. To the same place by a
            # relative address: a proxy may have it below a path that is not known here.
            answer = RedirectResponse("./" + scope["path"].rsplit("/", 1)[-1], 303)
            # Lax, because browsers withhold a strict cookie on this very redirect where the link was followed
            # from another site's page, such as webmail. Another site can make a browser show it with a GET of
            # a whole page only, and no GET here changes anything; it comes neither with another site's forms
            # and fetches nor with its pictures and frames, and commands from other sites are refused above.
            # No path either: browsers take the one that they asked for, up to its last slash.
            safe = scope.get("scheme") == "https"
            answer.set_cookie(COOKIE, self._token, httponly=True, samesite="lax", path=None, secure=safe)
            return answer
        refused = problem(
            401, "this server needs its token; open the address that it printed when it started"
        )
        refused.headers["WWW-Authenticate"] = "Bearer"
        return refused

    def _is(self, word: str) -> bool:
        return hmac.compare_digest(word.encode(), (self._token or "").encode())

    async def _limited(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        said = headers.get("content-length", "0")
        too_much = problem(
            413, f"the command has more than {self._most / 2**20:g} MiB; upload pictures by themselves"
        )
        if said.isdecimal() and int(said) > self._most:
            await too_much(scope, receive, send)
            return
        received = 0

        async def receiving() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._most:
                raise Refused(413, f"the command has more than {self._most / 2**20:g} MiB")
            return message

        await self._app(scope, receiving, send)


def _name_of(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
