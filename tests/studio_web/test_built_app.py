"""The page that ships is the build of ``web/``, small enough, and speaks the published API."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rehearse.studio.page import APP

REPOSITORY = Path(__file__).resolve().parents[2]
WEB = REPOSITORY / "web"

# The same list as in web/scripts/build-plugins.mjs.
ROOT_FILES = ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")
FOLDERS = ("public", "scripts", "src")
FIRST_LOAD = 500 * 1024


def _sources() -> list[str]:
    inside = [path for folder in FOLDERS for path in (WEB / folder).rglob("*") if path.is_file()]
    names = [*ROOT_FILES, *(path.relative_to(WEB).as_posix() for path in inside)]
    return sorted(name for name in names if not re.search(r"\.test\.tsx?$", name))


def _digest() -> str:
    digest = hashlib.sha256()
    for name in _sources():
        digest.update(f"{name}\0".encode())
        digest.update((WEB / name).read_bytes())
        digest.update(b"\0")
    return digest.hexdigest()


def _build() -> dict[str, object]:
    built: dict[str, object] = json.loads((APP / "build.json").read_text())
    return built


def test_the_page_was_built_from_these_sources() -> None:
    assert _build()["sources"] == _digest(), "web/ has changed since its build; run make web"


def test_every_built_file_is_the_one_that_was_built() -> None:
    files = _build()["files"]
    assert isinstance(files, dict)
    for name, digest in files.items():
        assert hashlib.sha256((APP / name).read_bytes()).hexdigest() == digest, name
    kept = {path.relative_to(APP).as_posix() for path in (APP / "assets").iterdir()}
    assert kept == {name for name in files if name.startswith("assets/")}


def test_the_first_load_is_small() -> None:
    page = (APP / "index.html").read_text()
    parts = [
        APP / "index.html",
        *(APP / name.lstrip("/") for name in re.findall(r'(?:src|href)="([^"]+)"', page)),
    ]
    # Of the fonts a browser fetches the parts that the page's letters need: the latin ones.
    fonts = [path for path in (APP / "assets").glob("*latin-*.woff2") if "latin-ext" not in path.name]
    assert len(fonts) == 2
    packed = sum(len(gzip.compress(part.read_bytes())) for part in parts)
    assert packed + sum(font.stat().st_size for font in fonts) <= FIRST_LOAD


def test_the_page_keeps_the_content_security_policy() -> None:
    page = (APP / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bon\w+=|style=", page)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


def test_the_typed_client_knows_every_operation() -> None:
    """The full comparison needs node (`npm run check`); this one sees an address that came or went."""
    operations = {
        operation["operationId"]
        for item in json.loads((REPOSITORY / "docs/openapi.json").read_text())["paths"].values()
        for method, operation in item.items()
        if method in ("get", "put", "post", "patch", "delete")
    }
    client = (WEB / "src/api/openapi.schema.ts").read_text()
    assert set(re.findall(r'operations\["(\w+)"\]', client)) == operations


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text())
    for name, package in lock["packages"].items():
        assert "resolved" not in package, name
        assert not name or package.get("link") or "integrity" in package, name


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("npx") is None or not (WEB / "node_modules").is_dir(),
    reason="needs node and the page's packages; make web brings them",
)
def test_a_build_from_scratch_is_the_same(tmp_path: Path) -> None:
    subprocess.run(
        ["npx", "vite", "build", "--outDir", str(tmp_path / "app"), "--emptyOutDir", "--logLevel", "error"],
        cwd=WEB,
        check=True,
    )
    assert (tmp_path / "app/build.json").read_text() == (APP / "build.json").read_text()


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("node") is None or not (WEB / "node_modules").is_dir(),
    reason="needs node and the page's packages; make web brings them",
)
def test_the_typed_client_is_generated_from_the_published_api() -> None:
    subprocess.run(["node", "scripts/types.mjs", "--check"], cwd=WEB, check=True)


def test_the_page_that_ships_asks_relative_to_itself() -> None:
    asked = re.findall(r'(?:src|href)="([^"]+)"', (APP / "index.html").read_text(encoding="utf-8"))
    assert asked and all(address.startswith("./") for address in asked), asked
