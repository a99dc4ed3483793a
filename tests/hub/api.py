"""The part of the Hub's HTTP API that pushing and pulling use.

Create, branches, preupload, LFS batch and upload in one part, NDJSON commits, refs, listing, resolve by HEAD and GET.
"""

from __future__ import annotations

import base64
import hashlib
import json

from hub_server import Handler, Repository  # which conftest.py has loaded from beside this file


def create(handler: Handler) -> None:
    asked = json.loads(handler.body)
    if handler.user is None:
        return handler.answer(401, {"error": "Invalid username or password."})
    if asked["organization"] not in (None, handler.user):
        return handler.answer(403, {"error": "You don't have the rights to create a model under this namespace"})
    kind, repo_id = asked.get("type") or "model", f"{handler.user}/{asked['name']}"
    prefix = "" if kind == "model" else f"{kind}s/"
    reply = {"url": f"{handler.hub.url}/{prefix}{repo_id}"}
    if (kind, repo_id) in handler.hub.repositories:
        return handler.answer(409, {"error": "You already created this repo"} | reply)
    private = asked.get("visibility") == "private" or asked.get("private") is True
    repository = handler.hub.repositories[kind, repo_id] = Repository(private)
    repository.commit({".gitattributes": b"*.safetensors filter=lfs\n"})
    handler.answer(200, reply)


def branch(handler: Handler, kind: str, repo_id: str, name: str) -> None:
    if repository := handler.writable(kind, repo_id):
        if name in repository.branches:
            return handler.answer(409, {"error": "Reference already exists"})
        repository.branches[name] = repository.branches["main"]
        handler.answer(200, {})


def preupload(handler: Handler, kind: str, repo_id: str, revision: str) -> None:
    if handler.writable(kind, repo_id):
        modes = [
            {"path": file["path"], "uploadMode": "lfs" if is_large(file["path"]) else "regular", "shouldIgnore": False}
            for file in json.loads(handler.body)["files"]
        ]
        handler.answer(200, {"files": modes})


def batch(handler: Handler, kind: str | None, repo_id: str) -> None:
    if handler.writable(kind, repo_id):
        objects = json.loads(handler.body)["objects"]
        for each in objects:
            if each["oid"] not in handler.hub.objects:
                each["actions"] = {"upload": {"href": f"{handler.hub.url}/storage/{each['oid']}"}}
        handler.answer(200, {"transfer": "basic", "objects": objects})


def store(handler: Handler, oid: str) -> None:
    assert hashlib.sha256(handler.body).hexdigest() == oid
    handler.hub.objects[oid] = handler.body
    handler.answer(200)


def retrieve(handler: Handler, oid: str) -> None:
    handler.answer(200, handler.hub.objects[oid], ETag=f'"{oid}"')


def commit(handler: Handler, kind: str, repo_id: str, revision: str) -> None:
    if not (repository := handler.writable(kind, repo_id)):
        return
    _, files = repository.files(revision) or ("", {})
    files = dict(files)
    for line in map(json.loads, handler.body.splitlines()):
        value = line["value"]
        if line["key"] == "header":
            handler.hub.messages.append(value["summary"])
        elif line["key"] == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        elif line["key"] == "lfsFile":
            files[value["path"]] = handler.hub.objects[value["oid"]]
    sha = repository.commit(files, revision)
    prefix = "" if kind == "models" else f"{kind}/"
    handler.answer(200, {"commitUrl": f"{handler.hub.url}/{prefix}{repo_id}/commit/{sha}", "commitOid": sha})


def refs(handler: Handler, kind: str, repo_id: str) -> None:
    if repository := handler.repository(kind, repo_id):
        found = [{"name": n, "ref": f"refs/heads/{n}", "targetCommit": s} for n, s in repository.branches.items()]
        handler.answer(200, {"branches": found, "tags": [], "converts": []})


def listing(handler: Handler) -> None:
    (author,) = handler.query["author"]
    found = [repo_id for (_, repo_id), each in handler.hub.repositories.items() if not each.private]
    handler.answer(200, [{"id": repo_id} for repo_id in found if repo_id.startswith(f"{author}/")])


def resolve(handler: Handler, kind: str | None, repo_id: str, revision: str, name: str) -> None:
    if name in handler.hub.instead:
        return handler.hub.instead[name](handler)
    if not (repository := handler.repository(kind, repo_id)):
        return
    if not (found := repository.files(revision)):
        return handler.answer(404, {"error": f"Invalid rev id: {revision}"}, X_Error_Code="RevisionNotFound")
    sha, files = found
    if name not in files:
        return handler.answer(404, {"error": "Entry not found"}, X_Error_Code="EntryNotFound", X_Repo_Commit=sha)
    if is_large(name):
        oid = hashlib.sha256(files[name]).hexdigest()
        handler.hub.objects[oid] = files[name]
        linked = {"X_Linked_Size": str(len(files[name])), "X_Linked_ETag": f'"{oid}"', "X_Repo_Commit": sha}
        return handler.answer(302, Location=f"{handler.hub.url}/storage/{oid}", **linked)
    handler.answer(200, files[name], X_Repo_Commit=sha, ETag=f'"{hashlib.sha1(files[name]).hexdigest()}"')


def is_large(name: str) -> bool:
    return name.endswith(".safetensors")


KIND, REPO = "(models|datasets|spaces)", r"([\w.-]+/[\w.-]+)"
ROUTES = (
    (("POST",), "/api/repos/create", create),
    (("POST",), "/api/validate-yaml", lambda handler: handler.answer(200, {"errors": [], "warnings": []})),
    (("POST",), f"/api/{KIND}/{REPO}/branch/(.+)", branch),
    (("POST",), f"/api/{KIND}/{REPO}/preupload/(.+)", preupload),
    (("POST",), f"/api/{KIND}/{REPO}/commit/(.+)", commit),
    (("POST",), f"/(?:{KIND}/)?{REPO}\\.git/info/lfs/objects/batch", batch),
    (("PUT",), "/storage/([0-9a-f]{64})", store),
    (("GET", "HEAD"), "/storage/([0-9a-f]{64})", retrieve),
    (("GET",), f"/api/{KIND}/{REPO}/refs", refs),
    (("GET",), "/api/models", listing),
    (("GET", "HEAD"), f"/(?:{KIND}/)?{REPO}/resolve/([^/]+)/(.+)", resolve),
)
