"""The studio behind a reverse proxy: under another name, below a path, which the proxy takes off or leaves;
and the types of its files, whatever the machine's registry says."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient
from hand_engine import HandEngine

from rehearse.cli import run
from rehearse.studio import page, serve
from rehearse.studio.app import create_app
from rehearse.studio.prefix import root_path_of
from rehearse.takes.store.errors import StoreError

NAME = "studio.example.org"
PATH = "/tools/rehearse"
FILES = {
    "index.html": b"<!doctype html><title>Rehearse</title>",
    "icon.svg": b"<svg/>",
    "build.json": b"{}",
    "licences.txt": b"x",
    "assets/a.js": b"export {}",
    "assets/a.js.map": b"{}",
    "assets/a.css": b"a{}",
    "assets/a.woff2": b"x",
    "assets/a.webp": b"x",
    "assets/a.mp4": b"x",
    "assets/a.odd": b"x",
}


class Proxy:
    """A reverse proxy in this process. takes_off: whether it takes the path off before it asks. host: what it
    asks for, None: what it was asked for."""

    def __init__(self, app: Any, *, takes_off: bool, host: str | None) -> None:
        self._app, self._takes_off, self._host = app, takes_off, host

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            if not scope["path"].startswith(f"{PATH}/"):
                await send({"type": "http.response.start", "status": 404, "headers": []})
                await send({"type": "http.response.body", "body": b"the proxy has nothing there"})
                return
            headers = [(k, v) for k, v in scope["headers"] if k != b"host" or self._host is None]
            headers += [] if self._host is None else [(b"host", self._host.encode())]
            path = scope["path"][len(PATH) if self._takes_off else 0 :]
            scope = {**scope, "path": path, "raw_path": path.encode(), "headers": headers}
        await self._app(scope, receive, send)


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page that is built."""
    place = tmp_path / "app"
    for name, content in FILES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    monkeypatch.setattr(page, "APP", place)
    return place


Behind = Callable[..., TestClient]


@pytest.fixture
def behind(tmp_path: Path, built: Path) -> Iterator[Behind]:
    """A browser that sees the studio through a proxy."""
    open_ones: list[TestClient] = []

    def start(
        *, takes_off: bool = True, host: str | None = None, said: bool = False, **more: Any
    ) -> TestClient:
        app = create_app(
            tmp_path / "projects", HandEngine(), "word",
            **{"allowed": [NAME], "root_path": PATH if said else "", **more},
        )  # fmt: skip
        client = TestClient(Proxy(app, takes_off=takes_off, host=host), base_url=f"https://{NAME}")
        open_ones.append(client.__enter__())
        return client

    yield start
    for client in open_ones:
        client.__exit__(None, None, None)


@pytest.mark.parametrize(("takes_off", "said"), [(True, False), (True, True), (False, True)])
@pytest.mark.parametrize("host", [None, "127.0.0.1:7860"])
def test_the_desk_works_below_a_path(behind: Behind, takes_off: bool, said: bool, host: str | None) -> None:
    browser = behind(takes_off=takes_off, host=host, said=said)
    link = f"{PATH}/?token=word"
    first = browser.get(link, follow_redirects=False)
    assert first.status_code == 303
    # As a browser reads it: relative to what it asked for.
    assert urljoin(link, first.headers["location"]) == f"{PATH}/"
    assert "path=" not in first.headers["set-cookie"].lower()
    shown = browser.get(f"{PATH}/")
    assert shown.status_code == 200 and b"Rehearse" in shown.content
    assert browser.get(f"{PATH}/assets/a.js").status_code == 200
    own = {"Origin": f"https://{NAME}", "Sec-Fetch-Site": "same-origin"}
    made = browser.post(f"{PATH}/api/projects", json={"name": "Film"}, headers=own)
    assert made.status_code == 201, made.text
    assert [one["name"] for one in browser.get(f"{PATH}/api/projects").json()["projects"]] == ["Film"]
    picture = browser.post(f"{PATH}/api/images", content=b"no picture", headers=own)
    assert picture.status_code == 422, "an upload's limits are those of an upload below a path too"
    for other in ("https://evil.example", "null", f"https://{NAME}.evil.example", f"https://evil.{NAME}"):
        headers = {"Origin": other, "Sec-Fetch-Site": "same-origin"}
        assert browser.post(f"{PATH}/api/projects", json={"name": "x"}, headers=headers).status_code == 403
    assert browser.post(f"{PATH}/api/projects", json={"name": "x"}, headers=own | {
        "Sec-Fetch-Site": "cross-site"
    }).status_code == 403  # fmt: skip


def test_without_its_slash_a_path_leads_to_the_page(built: Path, tmp_path: Path) -> None:
    app = create_app(tmp_path / "projects", HandEngine(), root_path=PATH)
    with TestClient(app, base_url="http://localhost") as browser:
        led = browser.get(f"{PATH}?token=x", follow_redirects=False)
        assert led.status_code == 307
        assert urljoin(f"{PATH}?token=x", led.headers["location"]) == f"{PATH}/?token=x"
        assert browser.get(f"{PATH}/").status_code == 200 == browser.get("/").status_code
        assert browser.get(f"{PATH}s/api/health", follow_redirects=False).status_code == 303
        # An address of the page's own, where its parts would not be found.
        deep = browser.get(f"{PATH}/shots/7", follow_redirects=False)
        assert urljoin(f"{PATH}/shots/7", deep.headers["location"]) == f"{PATH}/"


def test_names_are_refused_unless_they_are_allowed(behind: Behind) -> None:
    assert behind(allowed=[]).get(f"{PATH}/api/health").status_code == 421
    refused = behind(allowed=["other.example"]).get(f"{PATH}/api/health")
    assert refused.status_code == 421 and "--allow-host" in refused.json()["error"]
    assert behind(allowed=[NAME.upper()]).get(f"{PATH}/api/health").status_code == 200


def test_a_page_of_another_port_of_this_machine_gives_no_commands(tmp_path: Path, built: Path) -> None:
    app = create_app(tmp_path / "projects", HandEngine(), allowed=[NAME])
    with TestClient(app, base_url="http://localhost:7860") as browser:
        headers = {"Origin": "http://localhost:3000"}
        assert browser.post("/api/projects", json={"name": "x"}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--allow-host", NAME], f"--allow-host {NAME} lets other machines in; give --token"),
        (["--allow-host", f"https://{NAME}/"], "give one name alone"),
        (["--allow-host", f"{NAME}:8443", "--token", "x"], "give one name alone"),
        (["--allow-host", "*", "--token", "x"], "give one name alone"),
        (["--allow-host", "", "--token", "x"], "give one name alone"),
        (["--root-path", "/a b"], "write a path such as /rehearse"),
        (["--root-path", "https://x.org/rehearse"], "write a path such as /rehearse"),
        (["--root-path", "/a/../b"], "write a path such as /rehearse"),
        (["--root-path", "/a?b"], "write a path such as /rehearse"),
    ],
)
def test_words_that_cannot_be_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert run(["studio", "--projects", str(tmp_path / "p"), "--no-browser", "--port", "0", *words]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


def test_paths_and_addresses() -> None:
    assert [root_path_of(text) for text in ("", "/", "rehearse", "/a/b/")] == ["", "", "/rehearse", "/a/b"]
    with pytest.raises(StoreError):
        root_path_of("/a//b")
    assert serve._address("127.0.0.1", 7860, "/r", "w") == "http://127.0.0.1:7860/r/?token=w"
    assert serve._address("::1", 7860, "", None) == "http://[::1]:7860/"
    assert serve._proxied(NAME, "/r", "w") == f"https://{NAME}/r/?token=w"


@pytest.mark.parametrize("registry", ["poisoned", "empty"])
def test_types_are_fixed_here(
    tmp_path: Path, built: Path, monkeypatch: pytest.MonkeyPatch, registry: str
) -> None:
    poisoned = mimetypes.MimeTypes()
    for table in (*poisoned.types_map, *poisoned.types_map_inv):
        table.clear()
    if registry == "poisoned":
        for ending in {Path(name).suffix for name in FILES}:
            poisoned.add_type("text/plain", ending)
    monkeypatch.setattr(mimetypes, "_db", poisoned)
    monkeypatch.setattr(mimetypes, "inited", True)
    monkeypatch.setattr(mimetypes, "guess_type", poisoned.guess_type)
    app = create_app(tmp_path / "projects", HandEngine())
    with TestClient(app, base_url="http://localhost") as browser:
        found = {name: browser.get(f"/{name}").headers["content-type"] for name in FILES}
        assert browser.get("/").headers["content-type"] == "text/html; charset=utf-8"
        assert browser.get("/shots").headers["content-type"] == "text/html; charset=utf-8"
        assert browser.get("/assets/a.js").headers["x-content-type-options"] == "nosniff"
    assert found == {
        "index.html": "text/html; charset=utf-8",
        "icon.svg": "image/svg+xml",
        "build.json": "application/json",
        "licences.txt": "text/plain; charset=utf-8",
        "assets/a.js": "text/javascript; charset=utf-8",
        "assets/a.js.map": "application/json",
        "assets/a.css": "text/css; charset=utf-8",
        "assets/a.woff2": "font/woff2",
        "assets/a.webp": "image/webp",
        "assets/a.mp4": "video/mp4",
        "assets/a.odd": "application/octet-stream",
    }


def test_every_part_of_the_page_that_ships_is_known() -> None:
    for path in page.APP.rglob("*"):
        assert path.is_dir() or path.suffix in page._TYPES, path.name
