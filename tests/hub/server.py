"""A Hub on a loopback port, repositories in memory: what is stored, who may do what, how answers are sent. What the
requests mean stands in api.py."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Files = dict[str, bytes]
Route = tuple[tuple[str, ...], str, Callable[..., None]]  # methods, pattern of the path, action
TOKENS = {"hf_ada": "ada", "hf_bob": "bob"}


@dataclass
class Repository:
    private: bool = False
    branches: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Files] = field(default_factory=dict)

    def commit(self, files: Files, branch: str = "main") -> str:
        sha = hashlib.sha1(repr((sorted(files.items()), branch, len(self.commits))).encode()).hexdigest()
        self.commits[sha] = files
        self.branches[branch] = sha
        return sha

    def files(self, revision: str) -> tuple[str, Files] | None:
        sha = self.branches.get(revision, revision)
        return (sha, self.commits[sha]) if sha in self.commits else None


class Hub:
    """`url` is the endpoint; `requests` what was asked; `instead` answers for a file by its path in the repository."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = routes
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.messages: list[str] = []
        self.instead: dict[str, Callable[[Handler], None]] = {}
        self.sent = 0
        self.url = ""

    def put(self, repo_id: str, files: Files, *, branch: str = "main", kind: str = "model", private=False) -> str:
        """A commit that holds exactly these files, as if pushed by anybody."""
        return self.repositories.setdefault((kind, repo_id), Repository(private)).commit(dict(files), branch)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, status: int, body: Any = b"", **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
            self.hub.sent += len(content)

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        url = urlsplit(self.path)
        self.query = parse_qs(url.query)
        self.user = TOKENS.get((self.headers.get("Authorization") or "").removeprefix("Bearer "))
        self.hub.requests.append((self.command, url.path))
        for methods, pattern, action in self.hub.routes:
            if self.command in methods and (match := re.fullmatch(pattern, url.path)):
                return action(self, *[part and unquote(part) for part in match.groups()])
        self.answer(404, {"error": "Not Found"})

    do_GET = do_HEAD = do_POST = do_PUT = handle_any

    def repository(self, kind: str | None, repo_id: str) -> Repository | None:
        """The repository, or None and an answer. Like the Hub, it tells strangers nothing of what is private."""
        found = self.hub.repositories.get(((kind or "models").rstrip("s"), repo_id))
        if found is None or (found.private and self.user != repo_id.split("/")[0]):
            status = 404 if self.user else 401
            return self.answer(status, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
        return found

    def writable(self, kind: str | None, repo_id: str) -> Repository | None:
        if self.user is None:
            return self.answer(401, {"error": "Invalid username or password."})
        if self.user != repo_id.split("/")[0]:
            return self.answer(403, {"error": "Forbidden"})
        return self.repository(kind, repo_id)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # clients of these tests hang up on bad answers
            super().handle_error(request, client_address)


@contextmanager
def serving(routes: Sequence[Route]) -> Iterator[Hub]:
    """A Hub of its own, empty, for the length of the block."""
    hub = Hub(routes)
    server = Server(("127.0.0.1", 0), type("HubHandler", (Handler,), {"hub": hub}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
