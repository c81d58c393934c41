"""Errors that reach a client: one class is a message, a status and a stable code.

Services derive their own trees from `Problem`; how a problem becomes a body is theirs too (compute and
placement have different envelopes).
"""

from typing import ClassVar


class Problem(Exception):
    """Base of every error that has an HTTP status.

    Subclasses set `status`, `code` and `template`; the facts given by keyword fill the template and stay
    readable as attributes of `facts`.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = 'internal'
    template: ClassVar[str] = 'An unexpected error occurred.'
    headers: dict[str, str]

    def __init__(self, message: str | None = None, *, headers: dict[str, str] | None = None,
                 **facts: object) -> None:
        self.facts = facts
        self.headers = headers or {}
        self.message = message if message is not None else self.template.format(**facts)
        super().__init__(self.message)


class BadRequest(Problem):
    status, code, template = 400, 'bad_request', 'The request is malformed.'


class Unauthorized(Problem):
    status, code, template = 401, 'unauthorized', 'The request you have made requires authentication.'


class Forbidden(Problem):
    status, code, template = 403, 'forbidden', 'Not allowed.'


class NotFound(Problem):
    status, code, template = 404, 'not_found', 'The resource could not be found.'


class MethodNotAllowed(Problem):
    status, code = 405, 'method_not_allowed'
    template = 'The method is not allowed for this resource.'


class NotAcceptable(Problem):
    status, code, template = 406, 'not_acceptable', 'Not acceptable.'


class Conflict(Problem):
    status, code, template = 409, 'conflict', 'The request conflicts with the current state.'


class TooLarge(Problem):
    status, code, template = 413, 'too_large', 'The request body is too large.'


class UnsupportedMedia(Problem):
    status, code, template = 415, 'unsupported_media', 'Unsupported content type {media!r}.'


class Unavailable(Problem):
    status, code, template = 503, 'unavailable', 'The service is unavailable.'
