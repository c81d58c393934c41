"""Falcon middleware that every service of ours stacks the same way: request id, then log and metrics."""

import logging
import re
import string
from collections.abc import Callable
from urllib import parse
from wsgiref.types import WSGIEnvironment

import falcon
from falcon import constants
from oslo_context import context as oslo_context

from nova.common import clock, metrics

LOG = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r'^req-[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')


_ID = 'openstack.request_id'
"""Key of the WSGI environment under which a request's id is handed inwards."""


def begin(environ: WSGIEnvironment, global_request_id: str | None = None) -> str:
    """The id of a request, in every line that is logged from here on; what was logged before it is another's.

    Whoever is outermost gives it.
    """
    request_id = str(environ.setdefault(_ID, oslo_context.generate_request_id()))
    oslo_context.RequestContext(request_id=request_id, global_request_id=global_request_id,
                                overwrite=False).update_store()
    return request_id


class RequestId:
    """Gives a request its id, ``req.context.request_id``, and the caller's as ``global_request_id``.

    Both are in every line that is logged while it is served.

    Args:
        headers: response headers that carry the id.
    """

    def __init__(self, *headers: str) -> None:
        self._headers = headers

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        given = req.get_header('X-OpenStack-Request-ID-in') or req.get_header('X-OpenStack-Request-ID')
        req.context.global_request_id = given if given and _REQUEST_ID.match(given) else None
        req.context.request_id = begin(req.env, global_request_id=req.context.global_request_id)
        for name in self._headers:
            resp.set_header(name, req.context.request_id)


class RequestLog:
    """One line a request: method, path, status, size, microversion, user, project, seconds. Never headers or
    bodies.

    A path comes decoded; it is quoted again, so that no one writes lines of his own into the log.

    It is counted too, by the template of its path: paths themselves are without number.

    Args:
        who: user and project of a request; they may be what callers say of themselves.
    """

    def __init__(self, who: Callable[[falcon.Request], tuple[str | None, str | None]] = lambda req: (None, None)
                 ) -> None:
        self._who = who

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        req.context.started = clock.monotonic()

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object,
                         req_succeeded: bool) -> None:
        # Whatever stands before this one may have refused the request already.
        seconds = clock.monotonic() - (getattr(req.context, 'started', None) or clock.monotonic())
        method = req.method if req.method in constants.HTTP_METHODS else 'other'
        metrics.HTTP.labels(method, req.uri_template or 'other', str(resp.status)[:3]).observe(seconds)
        if not LOG.isEnabledFor(logging.INFO):
            return
        asked = parse.quote(req.relative_uri, safe=string.punctuation)
        user, project = (parse.quote(one, safe=string.punctuation) if one else '-' for one in self._who(req))
        LOG.info('%s "%s %s" status: %s len: %s microversion: %s user: %s project: %s time: %.6f',
                 req.remote_addr, req.method, asked, str(resp.status)[:3], len(resp.data or b''),
                 getattr(req.context, 'microversion', '-'), user, project, seconds)
