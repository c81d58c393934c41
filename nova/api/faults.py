"""The compute envelope of errors: one key that names the fault, with code and message under it."""

import falcon

from nova.common import problem, web
from nova.common.jsonutil import JsonObject
from nova.rest.dispatch import NoRoute

NAMES = {
    400: 'badRequest', 401: 'unauthorized', 403: 'forbidden', 404: 'itemNotFound', 405: 'badMethod',
    409: 'conflictingRequest', 413: 'overLimit', 415: 'badMediaType', 429: 'overLimit', 501: 'notImplemented',
    503: 'serviceUnavailable',
}
_BUG = ('Unexpected API Error. Please report this with the log of the API service for request {request_id}.')


def render(req: falcon.Request, resp: falcon.Response, error: problem.Problem) -> None:
    """Answer with an error. A path or method that does not exist has no envelope."""
    for name, value in error.headers.items():
        resp.set_header(name, value)
    if isinstance(error, NoRoute):
        resp.status = falcon.HTTP_404
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = f'404 Not Found\n\n{error.message}\n'
        return
    message = error.message
    if error.status == 500 and type(error) is problem.Problem:
        message = _BUG.format(request_id=getattr(req.context, 'request_id', '-'))
    fault: JsonObject = {'code': error.status, 'message': message}
    if error.status in (413, 429):
        fault['retryAfter'] = error.headers.get('Retry-After', '0')
    web.send(resp, {NAMES.get(error.status, 'computeFault'): fault}, error.status)
