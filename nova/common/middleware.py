"""Falcon middleware that every service of ours stacks the same way: request id, then log."""

import logging
import re
import time
from typing import Any

import falcon
from oslo_context import context as oslo_context

LOG = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r'^req-[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')


class RequestId:
    """Gives a request its id, ``req.context.request_id``, and the caller's as ``global_request_id``.

    Args:
        headers: response headers that carry the id.
    """

    def __init__(self, *headers: str) -> None:
        self._headers = headers

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        request_id = oslo_context.generate_request_id()
        given = req.get_header('X-OpenStack-Request-ID-in') or req.get_header('X-OpenStack-Request-ID')
        req.context.request_id = request_id
        req.context.global_request_id = given if given and _REQUEST_ID.match(given) else None
        for name in self._headers:
            resp.set_header(name, request_id)


class RequestLog:
    """One line a request: method, path, status, size, microversion, seconds. Never headers or bodies."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        req.context.started = time.perf_counter()

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: Any,
                         req_succeeded: bool) -> None:
        if not LOG.isEnabledFor(logging.INFO):
            return
        # Whatever stands before this one may have refused the request already.
        started = getattr(req.context, 'started', None) or time.perf_counter()
        LOG.info('%s "%s %s" status: %s len: %s microversion: %s time: %.6f',
                 req.remote_addr, req.method, req.relative_uri, str(resp.status)[:3], len(resp.data or b''),
                 getattr(req.context, 'microversion', '-'), time.perf_counter() - started,
                 extra={'request_id': getattr(req.context, 'request_id', None)})
