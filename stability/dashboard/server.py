"""Serves optuna-dashboard with the studies' reports beside it, on one address."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import optuna
import optuna_dashboard

from stability.dashboard.enriched import enrich
from stability.dashboard.pictures import Artifacts
from stability.records import UserError
from stability.report import page
from stability.report.stored import stored
from stability.store import Store

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

REPORT = re.compile(r"/report/(?P<study>[\w-]+?)(?P<lang>\.fa)?\.(?P<format>html|json)")
TYPES = {"html": "text/html; charset=utf-8", "json": "application/json"}


def serve(
    store: Store,
    host: str,
    port: int,
    artifact_dir: Path | None,
    announce: Callable[[str], None],
    lang: str = "en",
) -> None:
    """Enrich the store, then serve until interrupted; `announce` is told the address.

    Raises `UserError` when the port is taken.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = store.optuna_storage()
    enrich(store, storage, lang)
    application = optuna_dashboard.wsgi(storage, artifact_store=Artifacts(store, lang, artifact_dir))
    kind = _Server6 if ":" in host else Server
    try:
        server = make_server(host, port, with_reports(application, store), kind, Quiet)
    except OSError as error:
        raise UserError(f"{host}:{port}: error: {error.strerror}; give another --port") from None
    with server:
        announce(f"optuna-dashboard on http://{host}:{port}/ (Ctrl-C ends it)")
        server.serve_forever()


def with_reports(application: Application, store: Store) -> Application:
    """`application`, and below /report/ the report of each study as it is now."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        wanted = REPORT.fullmatch(environ.get("PATH_INFO", ""))
        if wanted is None or environ["REQUEST_METHOD"] != "GET":
            return application(environ, start_response)
        format, lang = wanted["format"], "fa" if wanted["lang"] else "en"
        try:
            body = page(*stored(store, wanted["study"]), format=format, lang=lang).encode()
            status, kind = "200 OK", TYPES[format]
        except UserError as error:
            body, status, kind = str(error).encode(), "404 Not Found", "text/plain; charset=utf-8"
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    return answer


class Server(ThreadingMixIn, WSGIServer):
    """A thread a request: browsers hold connections open on which they ask for nothing yet."""

    daemon_threads = True


class _Server6(Server):
    address_family = socket.AF_INET6


class Quiet(WSGIRequestHandler):
    """Prints nothing of a request."""

    def log_message(self, format: str, *args: Any) -> None:
        pass
