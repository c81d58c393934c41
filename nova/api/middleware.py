"""What every request passes before it is routed: where it came in, who asks, which microversion."""

from collections.abc import Callable
from wsgiref.types import WSGIEnvironment

import falcon

from nova import context
from nova.api import versions
from nova.common import auth, microversion, problem, web
from nova.rest import urls
from nova.schema import history

LEGACY_HEADER = 'X-OpenStack-Nova-API-Version'
Identify = Callable[[WSGIEnvironment], auth.Identity]


class Entry:
    """Where the request came in; a resource asked for without a version is answered with the choices.

    Args:
        root: the service's own address, from a request.
    """

    def __init__(self, root: Callable[[falcon.Request], str]) -> None:
        self._root = root

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        place = req.env.get(urls.PLACE) or urls.Place('')
        req.context.place = place
        req.context.open = versions.is_open(req.path)
        if not place.prefix and not req.context.open:
            web.send(resp, versions.choices(self._root(req), req.path), 300)
            resp.complete = True


class Authenticate:
    """Who asks: ``req.context.caller``, a `RequestContext`.

    Args:
        identify: reads the identity from the WSGI environment, or raises Unauthorized; keystonemiddleware adds
            the challenge to such an answer.
    """

    def __init__(self, identify: Identify) -> None:
        self._identify = identify

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        if req.context.open:
            return
        identity = self._identify(req.env)
        caller = context.RequestContext.from_identity(
            identity, req.context.request_id, req.context.global_request_id)
        req.context.caller = caller
        caller.update_store()
        project = req.context.place.project
        if project and project != caller.project_id:
            raise problem.BadRequest(
                f"Malformed request URL: URL's project_id '{project}' doesn't match Context's project_id "
                f"'{caller.project_id}'")


class Negotiate:
    """The microversion: ``req.context.version``, told back in both headers. /v2 knows none."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        if req.context.open:
            return
        if req.context.place.legacy:
            req.context.version = history.MIN
            return
        resp.set_header('Vary', f'{microversion.HEADER}, {LEGACY_HEADER}')
        version = microversion.negotiate(
            req.get_header, 'compute', history.MIN, history.MAX, legacy=LEGACY_HEADER)
        req.context.version = req.context.microversion = version
        resp.set_header(microversion.HEADER, f'compute {version}')
        resp.set_header(LEGACY_HEADER, str(version))
