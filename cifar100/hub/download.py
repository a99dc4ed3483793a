"""Reading from the Hub: which commit a revision is, and single files, each of a name and a largest size known before.

Why not ``hf_hub_download``, read in huggingface_hub 2.4 (``file_download.py``): its cache joins the server's ETag into
the paths of blob, temporary and lock as it came, with ``../`` too; ``http_get`` reads and unpacks whatever the server
sends and compares its size only afterwards, beginning again as long as anything came; and Xet's own client writes
files by other ways than that. A check of the metadata before does not hold a server to what it said. Here no name comes
from the server, and no more is read than a file of its kind can have. Sessions, headers and errors are the library's.
"""

from cifar100.base.errors import HubError, HubUnreachable
from cifar100.base.text import nearest
from cifar100.hub.address import COMMIT, Address
from cifar100.hub.errors import in_one_line, refusal

CONFIG = "config.json"
CHUNK_BYTES = 2**16
LISTED = 200


def resolve(address: Address) -> str:
    """The commit that the address's revision is now, 40 hexadecimal digits.

    Raises HubError for what does not exist, with names that come near, and HubUnreachable.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

    url = hf_hub_url(address.repo_id, CONFIG, revision=address.revision)
    with in_one_line(str(address)):
        try:
            commit = get_hf_file_metadata(url).commit_hash
        except EntryNotFoundError:
            raise refusal(404, "EntryNotFound", f"{address.repo_id}: {CONFIG}") from None
        except RevisionNotFoundError:
            near = _near(address.revision, _revisions(address))
            raise HubError(f"{address.repo_id} has no revision {address.revision}{near}") from None
        except RepositoryNotFoundError as error:
            near = _near(address.repo_id, _repositories(address))
            if not near:
                raise
            status = error.response.status_code
            raise HubError(f"{refusal(status, 'RepoNotFound', str(address))}{near}") from None
    if not isinstance(commit, str) or not COMMIT.fullmatch(commit):
        raise HubError(f"{address}: the server names no commit; is HF_ENDPOINT a Hub?")
    return commit


def fetch(address: Address, commit: str, name: str, limit: int, *, required: bool = True) -> bytes | None:
    """The content of a file at a commit, at most `limit` bytes.

    None where there is no such file and it is not `required`. Raises HubError for a larger file, before it is read
    where the server says so, and else when `limit` is passed; HubUnreachable for an answer that is cut off.
    """
    try:
        return _fetch(address, commit, name, limit, required)
    except HubUnreachable as error:
        # A connection kept from the last file may have been closed by the server just as it was used again.
        if type(error.__context__).__name__ != "RemoteProtocolError":
            raise
    return _fetch(address, commit, name, limit, required)


def _fetch(address: Address, commit: str, name: str, limit: int, required: bool) -> bytes | None:
    from huggingface_hub import constants, get_session, hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    what = f"{address.repo_id}: {name}"
    url = hf_hub_url(address.repo_id, name, revision=commit)
    headers = build_hf_headers() | {"Accept-Encoding": "identity"}  # lest a small answer swells
    timeout = constants.HF_HUB_DOWNLOAD_TIMEOUT
    with in_one_line(what), get_session().stream("GET", url, headers=headers, timeout=timeout) as answer:
        if answer.status_code != 200:
            code = answer.headers.get("X-Error-Code") or ("EntryNotFound" if answer.status_code == 404 else None)
            if code != "EntryNotFound":
                raise refusal(answer.status_code, code, str(address))
            if required:
                raise refusal(answer.status_code, code, what)
            return None
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise HubError(f"{what} comes compressed, which was not asked for")
        declared = answer.headers.get("Content-Length", "")
        if declared.isdecimal() and int(declared) > limit:
            raise HubError(f"{what} has {declared} bytes, more than the {limit} that such a file may have")
        body = bytearray()
        for chunk in answer.iter_raw(CHUNK_BYTES):
            body += chunk
            if len(body) > limit:
                raise HubError(f"{what} has more than the {limit} bytes that such a file may have")
    return bytes(body)


def _near(name: str, names: list[str]) -> str:
    close = nearest(name, names)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _revisions(address: Address) -> list[str]:
    from huggingface_hub import HfApi

    try:
        refs = HfApi().list_repo_refs(address.repo_id)
    except Exception:  # only a courtesy
        return []
    return [ref.name for ref in (*refs.branches, *refs.tags)]


def _repositories(address: Address) -> list[str]:
    from huggingface_hub import HfApi

    try:
        return [model.id for model in HfApi().list_models(author=address.repo_id.split("/")[0], limit=LISTED)]
    except Exception:  # only a courtesy
        return []
