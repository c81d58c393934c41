"""The Falcon application that compute, placement, metadata and the sandbox share.

JSON in and out, and every error, ours, Falcon's or unforeseen, turned into one `Problem` that the service
renders in its own envelope.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import falcon
import falcon.errors
import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova.common import dbkit, jsonutil, problem

LOG = logging.getLogger(__name__)

Render = Callable[[falcon.Request, falcon.Response, problem.Problem], None]
"""Writes the status, headers and body of an error."""

Responder = Callable[..., None]  # type: ignore[explicit-any]
"""``responder(req, resp, **path_fields)``; the path says which fields."""


class Before(Protocol):
    """Middleware that sees every request before it is routed."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None: ...


class After(Protocol):
    """Middleware that sees every answer before it is sent."""

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object,
                         req_succeeded: bool, /) -> None: ...


Middleware = Before | After


_FALCON = {
    400: problem.BadRequest, 401: problem.Unauthorized, 403: problem.Forbidden, 404: problem.NotFound,
    405: problem.MethodNotAllowed, 406: problem.NotAcceptable, 413: problem.TooLarge,
    503: problem.Unavailable,
}


class Route:
    """A Falcon resource made of a mapping of methods to responders."""

    def __init__(self, methods: Mapping[str, Responder]) -> None:
        for method, responder in methods.items():
            setattr(self, f'on_{method.lower()}', responder)


def _translate(error: falcon.HTTPError) -> problem.Problem:
    status = falcon.http_status_to_code(error.status)
    headers = dict(error.headers or {})
    if isinstance(error, falcon.errors.HTTPUnsupportedMediaType):
        return problem.UnsupportedMedia(error.description or error.title, headers=headers)
    kind = _FALCON.get(status, problem.BadRequest if 400 <= status < 500 else problem.Problem)
    message = error.description if status not in (404, 405) else None
    return kind(message, headers=headers)


class SlashAtTheEnd:
    """A path with a slash at its end is none that is served.

    Args:
        error: what it is answered with.
    """

    def __init__(self, error: type[problem.NotFound]) -> None:
        self._error = error

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        if req.path != '/' and req.path.endswith('/'):
            raise self._error()


def application(render: Render, middleware: Sequence[Middleware],
                slash: type[problem.NotFound] | None = None) -> falcon.App:
    """A Falcon app whose errors all go through `render`; routes are added with `route`.

    Args:
        slash: what a path with a slash at its end is answered with; when absent it means the path without.
    """
    app: falcon.App = falcon.App(middleware=[*middleware, *([SlashAtTheEnd(slash)] if slash else [])])
    app.req_options.strip_url_path_trailing_slash = slash is None
    app.req_options.keep_blank_qs_values = True
    app.req_options.auto_parse_qs_csv = False
    app.resp_options.default_media_type = falcon.MEDIA_JSON

    def on_problem(req: falcon.Request, resp: falcon.Response, error: problem.Problem, params: object) -> None:
        render(req, resp, error)

    def on_http_error(req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError,
                      params: object) -> None:
        render(req, resp, _translate(error))

    def on_bug(req: falcon.Request, resp: falcon.Response, error: Exception, params: object) -> None:
        if isinstance(error, (db_exc.DBError, sa.exc.SQLAlchemyError)) and dbkit.is_away(error):
            LOG.error('%s %s: %s', req.method, req.path, dbkit.reason(error))
            render(req, resp, problem.Unavailable('The database cannot be used now.'))
            return
        LOG.exception('Unexpected error in %s %s', req.method, req.path)
        render(req, resp, problem.Problem())

    app.add_error_handler(Exception, on_bug)
    app.add_error_handler(falcon.HTTPError, on_http_error)
    app.add_error_handler(problem.Problem, on_problem)
    return app


def route(app: falcon.App, template: str, methods: Mapping[str, Responder]) -> None:
    """Serve `template` (Falcon syntax) with the given responders; other methods answer 405."""
    app.add_route(template, Route(methods))


def body(req: falcon.Request, limit: int = 114688, plain: bool = False) -> Any:  # type: ignore[explicit-any]
    """The JSON document of a request.

    Args:
        plain: ``text/plain``, which some clients and servers put where nothing was said, says nothing.

    Raises:
        TooLarge: more than `limit` bytes.
        UnsupportedMedia: declared as something else than JSON.
        BadRequest: not JSON, or empty.
    """
    if (req.content_length or 0) > limit:
        raise problem.TooLarge(f'Request body is larger than {limit} bytes.')
    media = (req.content_type or '').partition(';')[0].strip().lower()
    if media == 'text/plain' and plain:
        media = ''
    if media and media != 'application/json' and not (
            media.startswith('application/') and media.endswith('+json')):
        raise problem.UnsupportedMedia(media=media)
    data = req.bounded_stream.read(limit + 1)
    if len(data) > limit:
        raise problem.TooLarge(f'Request body is larger than {limit} bytes.')
    try:
        return jsonutil.loads(data)
    except ValueError:
        raise problem.BadRequest('Malformed request body: it is not a JSON document.') from None


def has_nul(document: object) -> bool:
    """Whether a JSON document of any depth has a NUL in a text: no text of ours has, and not every database
    could keep one, nor be asked for it."""
    left = [document]
    while left:
        match left.pop():
            case str() as text:
                if '\0' in text:
                    return True
            case dict() as members:
                left.extend(members)
                left.extend(members.values())
            case list() as items:
                left.extend(items)
    return False


def send(resp: falcon.Response, document: object, status: int = 200) -> None:
    """Answer with a JSON document."""
    resp.status = falcon.code_to_http_status(status)
    resp.content_type = falcon.MEDIA_JSON
    resp.data = jsonutil.dumps(document)
