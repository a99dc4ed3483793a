"""Failures of the Hub in one line each: mistakes that a user can cure, and a Hub that does not answer."""

from collections.abc import Iterator
from contextlib import contextmanager

from cifar100.base.errors import HubError, HubUnreachable

LOGIN = "log in with `hf auth login`, or set HF_TOKEN"


@contextmanager
def in_one_line(what: str) -> Iterator[None]:
    """Turns the errors of huggingface_hub and of its transport into one of the two above.

    Args:
        what: the repository, as the user calls it.
    """
    try:
        yield
    except (HubError, HubUnreachable):
        raise
    except Exception as error:
        known = _translated(error, what) or (error.__cause__ and _translated(error.__cause__, what))
        if known is None:
            raise
        raise known from None


def refusal(status: int, code: str | None, what: str, message: object = "") -> HubError | HubUnreachable:
    """The meaning of an answer with an error's status; `code` is the Hub's X-Error-Code, `message` its own words."""
    if code == "RevisionNotFound":
        return HubError(f"{what}: there is no such branch, tag or commit; see the repository's history for its names")
    if code == "EntryNotFound":
        return HubError(f"{what}: there is no such file; the repository was not pushed by this program")
    if code == "GatedRepo":
        return HubError(f"{what} is gated; ask for access on its page, then {LOGIN}")
    if code == "RepoNotFound" or status == 404:
        return HubError(f"{what} does not exist, or is private; check the name, or {LOGIN}")
    if status == 401:
        return HubError(f"{what}: the Hub wants a valid token for this; {LOGIN}")
    if status == 403:
        return HubError(f"{what}: your token may not do this; use one that may write there, and check the name's owner")
    reason_given = f" ({message})" if message else ""
    if status in (408, 429) or status >= 500:
        return HubUnreachable(f"{what}: the Hub answers {status}{reason_given}; try again later")
    return HubError(f"{what}: the Hub refuses with status {status}{reason_given}")


def _translated(error: BaseException, what: str) -> HubError | HubUnreachable | None:
    """None for an error that is none of the Hub's, such as a bug or a full disk."""
    from huggingface_hub.errors import FileMetadataError, HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled):
        return HubError(f"{what}: HF_HUB_OFFLINE is set, which forbids to ask the Hub; unset it")
    if isinstance(error, HfHubHTTPError):
        answer = error.response
        return refusal(answer.status_code, answer.headers.get("X-Error-Code"), what, error.server_message)
    if isinstance(error, HFValidationError):
        return HubError(f"{what}: {error}")
    if _of_transport(error) or isinstance(error, FileMetadataError):
        from huggingface_hub import constants

        reason = str(error) or type(error).__name__
        return HubUnreachable(f"{what}: no answer from {constants.ENDPOINT} ({reason}); check the network")
    if isinstance(error, ValueError):  # of huggingface_hub, which alone works in these blocks, or of json within it
        return HubError(f"{what}: {error}")
    return None


def _of_transport(error: BaseException) -> bool:
    """By the package's name: which version of httpx carries the requests is huggingface_hub's business."""
    return any(base.__module__.partition(".")[0] in ("httpx", "httpx2") for base in type(error).__mro__)
