"""Running the server: one to a folder, and gently to its end."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import socket
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import uvicorn
from filelock import FileLock, Timeout

from rehearse.home import HomelessPath, at_home
from rehearse.studio.app import create_app
from rehearse.studio.engines.engine import Engine
from rehearse.studio.engines.local import LocalEngine
from rehearse.studio.limits import ServerLimits
from rehearse.studio.prefix import root_path_of
from rehearse.studio.security import LOOPBACK
from rehearse.takes.store.errors import StoreError

PORT = 7860
_EVERYWHERE = ("0.0.0.0", "::", "")
_GRACE_SECONDS = 3


class _Server(uvicorn.Server):
    """Ends its event streams when it is asked to end; they would go on for ever."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app = self.config.app
        app.state.desk.hub.close()  # type: ignore[union-attr]
        await super().shutdown(sockets)


def serve(
    folder: str | os.PathLike[str],
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    allow_hosts: Sequence[str] = (),
    root_path: str = "",
    token: str | None = None,
    browser: bool = False,
    devices: Sequence[str] = ("auto",),
    engine: Literal["local", "ray"] = "local",
    models: Sequence[str] = (),
    say: object = print,
) -> None:
    """Serve the studio until it is asked to end (Ctrl-C, SIGTERM); what runs is paused then.

    folder: of the projects. port: 0 takes a free one. token: must be given where ``host`` is not loopback.
    allow_hosts: names of proxies under which it may be asked. root_path: the path below which a proxy has it.
    models: folders or hub ids to offer besides what is installed. engine: what runs the workers, one for each
    of ``devices``: processes of this machine, or actors of Ray. say: gets the address.
    Raises StoreError: no token, a port that is taken, a folder that another studio has open.
    """
    allowed = [_host_name(name) for name in allow_hosts]
    path = root_path_of(root_path)
    opened = [f"--host {host}"] if host not in LOOPBACK else []
    opened += [f"--allow-host {name}" for name in allowed if name not in LOOPBACK]
    if opened and not token:
        raise StoreError(
            f"{opened[0]} lets other machines in; give --token WORD too, or --token new to have one made up"
        )
    with _only_one(Path(folder)), _listening(host, port) as listener:
        address = _address(host, listener.getsockname()[1], path, token)
        limits = ServerLimits(further_models=tuple(models))
        app = create_app(
            folder,
            _engine(engine, limits.models, devices),
            token,
            hosts=_names(host),
            allowed=allowed,
            root_path=path,
            limits=limits,
        )
        config = uvicorn.Config(
            app, log_level="warning", timeout_graceful_shutdown=_GRACE_SECONDS, server_header=False,
            date_header=False, lifespan="on",
        )  # fmt: skip
        if callable(say):
            for one in (address, *(_proxied(name, path, token) for name in allowed if name not in LOOPBACK)):
                say(one)
        if browser:
            threading.Timer(0.5, webbrowser.open, [address]).start()
        # What is loaded by now stays: whoever waits for an answer need not wait until all of it has been gone
        # through for garbage.
        gc.collect()
        gc.freeze()
        _Server(config).run([listener])


def _engine(kind: Literal["local", "ray"], models: Sequence[str], devices: Sequence[str]) -> Engine:
    if kind == "local":
        return LocalEngine(models, devices)
    from rehearse.studio.engines.ray import RayEngine

    return RayEngine(models, devices)


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    try:
        folder = at_home(folder)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot use {folder} for projects: {(error.strerror or str(error)).lower()}; give another "
            "folder with --projects"
        ) from error
    except HomelessPath as error:
        raise StoreError(f"{error} with --projects") from error
    # The system lets go of it when this process ends, however it ends.
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise StoreError(
            f"a studio has {folder} open already; use that one, or give another folder with --projects"
        ) from error
    with lock:
        yield


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it. asyncio sets it itself only on sockets that name their protocol; without, a
        # head and a body sent one after the other wait 40 ms for each other.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise StoreError(
                f"cannot listen on {host}:{port} ({(error.strerror or str(error)).lower()}); "
                "give another port with --port"
            ) from error
        listener.listen(128)
        yield listener


def _names(host: str) -> list[str]:
    """The names under which a browser may reach this server."""
    if host not in _EVERYWHERE:
        return [host]
    here = socket.gethostname()
    found = {here, socket.getfqdn()}
    with contextlib.suppress(OSError):
        found |= {str(entry[4][0]) for entry in socket.getaddrinfo(here, None)}
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: it asks which address would be used
        found.add(probe.getsockname()[0])
    return sorted(found)


def _host_name(text: str) -> str:
    """A name that a browser may ask for, lower case. Raises StoreError."""
    name = text.strip().lower().strip("[]")
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|[0-9a-f:]*:[0-9a-f:.]*", name):
        raise StoreError(
            f"--allow-host is {text!r}; give one name alone, such as studio.example.org, without https://, "
            "port or path"
        )
    return name


def _proxied(name: str, path: str, token: str | None) -> str:
    """The address by way of a proxy, which stands where browsers look for one: behind TLS, at its port."""
    name = f"[{name}]" if ":" in name else name
    return f"https://{name}{path}/" + (f"?token={token}" if token else "")


def _address(host: str, port: int, path: str, token: str | None) -> str:
    name = "127.0.0.1" if host in _EVERYWHERE else host
    name = f"[{name}]" if ":" in name else name
    return f"http://{name}:{port}{path}/" + (f"?token={token}" if token else "")
