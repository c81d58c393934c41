"""An in-process client: requests against the WSGI application without sockets, for tests and tools."""

import dataclasses
from typing import TypedDict, Unpack
from wsgiref.types import WSGIApplication

from falcon import testing

from nova.common import jsonutil
from nova.common.jsonutil import JsonObject
from nova.placement import history


@dataclasses.dataclass(frozen=True, slots=True)
class Response:
    """An answer; the names are those of the requests library."""

    status_code: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> JsonObject:
        found: JsonObject = jsonutil.loads(self.content)
        return found


class Options(TypedDict, total=False):
    """See `Client.request`."""

    json: object
    data: str | bytes | None
    headers: dict[str, str] | None
    version: str | None


class Client:
    """Sends requests to a WSGI application.

    Args:
        app: what `app.make_app` built, or any other WSGI application.
        token: sent as X-Auth-Token; None sends none.
        version: microversion of every request that does not say otherwise.
        headers: sent along with every request.
        mount: where the application is mounted, such as ``/placement``.
    """

    def __init__(self, app: WSGIApplication, token: str | None = 'admin', version: str = str(history.MAX),
                 headers: dict[str, str] | None = None, mount: str = '') -> None:
        self._app = app
        self._mount = mount
        self._headers = {'OpenStack-API-Version': f'{history.SERVICE} {version}',
                         'Accept': 'application/json', **(headers or {})}
        if token is not None:
            self._headers['X-Auth-Token'] = token

    def request(self, method: str, path: str, *, json: object = None, data: str | bytes | None = None,
                headers: dict[str, str] | None = None, version: str | None = None) -> Response:
        """One request.

        Args:
            path: may have a query.
            json: body to be sent as JSON.
            data: body to be sent as it is.
            version: microversion of this request.
        """
        sent = {**self._headers, **(headers or {})}
        if version is not None:
            sent['OpenStack-API-Version'] = f'{history.SERVICE} {version}'
        path, _, query = path.partition('?')
        if json is not None:
            data = jsonutil.dumps(json)
            sent.setdefault('Content-Type', 'application/json')
        environ = testing.create_environ(
            path, query, method=method, headers=sent, body=data or b'', root_path=self._mount)
        start = testing.StartResponseMock()
        answer = self._app(environ, start)
        try:
            content = b''.join(answer)
        finally:
            close = getattr(answer, 'close', None)
            if close:
                close()
        return Response(int((start.status or '').partition(' ')[0]), dict(start.headers or ()), content)

    def get(self, path: str, **options: Unpack[Options]) -> Response:
        return self.request('GET', path, **options)

    def put(self, path: str, **options: Unpack[Options]) -> Response:
        return self.request('PUT', path, **options)

    def post(self, path: str, **options: Unpack[Options]) -> Response:
        return self.request('POST', path, **options)

    def delete(self, path: str, **options: Unpack[Options]) -> Response:
        return self.request('DELETE', path, **options)
