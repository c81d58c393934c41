"""The sandbox: five stand-ins over one store, each a WSGI application, and one that mounts them all.

    /identity  /image  /network  /volume  /share   the stand-ins
    /sandbox   faults, journal, expiry of tokens, plugging of ports; answered to the loopback interface only
"""

import dataclasses
import functools
import ipaddress
import os
import pathlib
import re
from collections.abc import Callable, Iterable, Mapping
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import falcon
import waitress
from waitress import wasyncore

from nova.common import concurrency, dbkit, problem, threads, web
from nova.sandbox import faults as scripted
from nova.sandbox import identity, image, network, plugging, service, share, store, telling, tokens, volume
from nova.sandbox.store import Document

_CONNECTIONS = 10_000
"""Every service keeps some open; what comes after waitress's own limit of 100 would wait for one to close."""

SERVICES = ('identity', 'image', 'network', 'volume', 'share')


class Sandbox:
    """Identity, image, network, volume and share stand-ins.

    Args:
        database: a `Database`, or a SQLite URL with a file; the tables are made when they are missing.
        data_dir: directory for the data of images and volumes.
        public_url: base URL by service name (``identity``, ``image``, ``network``, ``volume``, ``share``,
            ``compute``, ``placement``), as a mapping or a function; asked when it is needed, so that a port may
            be known late.
        region: of every endpoint.
        faults: the script of faults; one of its own when not given.
        on_port_active: told of each port (a document) that became ACTIVE on a host, after it was stored, in the
            thread of the request: it must return soon.
    """

    def __init__(self, database: dbkit.Database | str, data_dir: str | os.PathLike[str], *,
                 public_url: Mapping[str, str] | Callable[[str], str], region: str = 'RegionOne',
                 faults: scripted.Faults | None = None,
                 on_port_active: Callable[[Document], object] | None = None) -> None:
        self.store = store.Store(database)
        self.region = region
        self.faults = faults or scripted.Faults()
        self.url: Callable[[str], str] = public_url if callable(public_url) else public_url.__getitem__
        self.directory = tokens.Directory(self.store)
        self._identity = identity.Identity(self.directory)
        self.images = image.Images(self.store, pathlib.Path(data_dir) / 'images')
        at = functools.partial(self.url, 'identity')
        self._image = image.Image(self.images, self.directory, at)
        self._network = network.Network(
            self.store, self.directory, at, telling.Telling(
                functools.partial(self.url, 'compute'), functools.partial(
                    self.directory.issue_to_service, 'nova', 'service')), on_port_active)
        self.ports, self.plugging = self._network.ports, self._network.plugging
        self._volume = volume.Volume(self.store, self.directory, at, self.images,
                                     pathlib.Path(data_dir) / 'volumes')
        self.volumes = self._volume.volumes
        self._share = share.Share(self.store, self.directory, at)
        self.identity = self._wrapped(self._identity.app, 'identity')
        self.image = self._wrapped(self._image.app, 'image')
        self.network = self._wrapped(self._network.app, 'network')
        self.volume = self._wrapped(self._volume.app, 'volume')
        self.share = self._wrapped(self._share.app, 'share')
        self.application: WSGIApplication = Mount({
            **{f'/{name}': getattr(self, name) for name in SERVICES}, '/sandbox': _admin(self)})

    def _wrapped(self, app: WSGIApplication, name: str) -> WSGIApplication:
        return scripted.Wrapper(app, name, self.faults)

    def expire_token(self, secret: str) -> bool:
        """Let a token be one that has just run out; False when there is none."""
        return self.directory.expire(secret)

    def close(self) -> None:
        """End delays that are under way and close the database."""
        self.faults.clear()
        self.store.close()


class Mount:
    """WSGI: hands a request to the application mounted on the first part of its path."""

    def __init__(self, apps: Mapping[str, WSGIApplication]) -> None:
        self._apps = dict(apps)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get('PATH_INFO', '')
        mount = '/' + path.lstrip('/').partition('/')[0]
        app = self._apps.get(mount)
        if app is None:
            start_response('404 Not Found', [('Content-Type', 'application/json')])
            return [b'{"message": "Nothing is mounted here."}']
        return app({**environ, 'SCRIPT_NAME': environ.get('SCRIPT_NAME', '') + mount,
                    'PATH_INFO': path.lstrip('/')[len(mount) - 1:] or '/'}, start_response)


class Server:
    """Serves a WSGI application on a thread of its own; for standalone, tools and tests.

    Args:
        host: an IP address.
        port: 0 takes a free one; `url` tells which.
    """

    def __init__(self, app: WSGIApplication, host: str = '127.0.0.1', port: int = 0, threads: int = 32) -> None:
        self._sockets: dict[int, object] = {}
        self._server = waitress.create_server(
            app, map=self._sockets, host=host, port=port, threads=threads, ident='sandbox',
            max_request_body_size=2 ** 40, channel_timeout=600, clear_untrusted_proxy_headers=True,
            connection_limit=_CONNECTIONS, asyncore_use_poll=True)
        self._bell = Bell(self._server.pull_trigger)
        self._server.pull_trigger = self._bell.ring
        self.host, self.port = host, int(self._server.effective_port)
        self.url = f'http://{host}:{self.port}'
        self._thread: concurrency.Thread | None = None

    def start(self) -> 'Server':
        self._thread = threads.start('sandbox-http', self._server.run)
        return self

    def stop(self, seconds: float = 2.0) -> None:
        """Close every connection; requests that run get a moment to end, though nobody hears the answers."""
        self._bell.silence()
        self._server.trigger.pull_trigger(functools.partial(
            wasyncore.close_all, self._sockets, ignore_all=True))
        if self._thread is not None:
            self._thread.join(seconds)
        self._server.task_dispatcher.shutdown(timeout=seconds)


class Bell:
    """How waitress's workers wake its loop: by a byte into a pipe.

    One at a time, since eventlet refuses two who write at once; and no more once the pipe is to be closed: its
    number may soon belong to another file, into which the byte would go.
    """

    def __init__(self, pull: Callable[[], object]) -> None:
        self._pull = pull
        self._turn = threads.lock()
        self._silent = False

    def ring(self) -> None:
        with self._turn:
            if not self._silent:
                self._pull()

    def silence(self) -> None:
        """When this returns, nobody is writing, and nobody will."""
        with self._turn:
            self._silent = True


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


class _Loopback:
    """Falcon middleware: only the loopback interface may script faults."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        if not _is_loopback(req.env.get('REMOTE_ADDR', '')):
            raise problem.Forbidden('Only the loopback interface is answered here.')


def _render(req: falcon.Request, resp: falcon.Response, error: problem.Problem) -> None:
    web.send(resp, {'message': error.message}, error.status)


def _admin(sandbox: Sandbox) -> WSGIApplication:
    """The application that scripts faults from outside the process."""
    def list_faults(req: falcon.Request, resp: falcon.Response) -> None:
        web.send(resp, {'faults': sandbox.faults.script()})

    def add_fault(req: falcon.Request, resp: falcon.Response) -> None:
        body = web.body(req)
        try:
            fault = sandbox.faults.add(**body)
        except (TypeError, ValueError, re.error) as error:
            raise problem.BadRequest(f'Not a fault: {error}') from None
        web.send(resp, {'fault': dataclasses.asdict(fault)}, 201)

    def clear(req: falcon.Request, resp: falcon.Response) -> None:
        sandbox.faults.clear()
        resp.status = falcon.HTTP_204

    def journal(req: falcon.Request, resp: falcon.Response) -> None:
        found = sandbox.faults.requests(service.value(req, 'service'), service.value(req, 'method'),
                                        service.value(req, 'path') or '')
        web.send(resp, {'counts': sandbox.faults.counts(),
                        'requests': [dataclasses.asdict(request) for request in found]})

    def expire(req: falcon.Request, resp: falcon.Response) -> None:
        body = web.body(req)
        if not isinstance(body, dict) or not sandbox.expire_token(str(body.get('token'))):
            raise problem.NotFound('There is no such token.')
        resp.status = falcon.HTTP_204

    def plug(req: falcon.Request, resp: falcon.Response) -> None:
        try:
            sandbox.plugging.script = plugging.Script(**web.body(req))
        except (TypeError, ValueError) as error:
            raise problem.BadRequest(f'Not a way to plug ports: {error}') from None
        resp.status = falcon.HTTP_204

    def plug_at_once(req: falcon.Request, resp: falcon.Response) -> None:
        sandbox.plugging.script = None
        resp.status = falcon.HTTP_204

    app = web.application(_render, [_Loopback()])
    web.route(app, '/plugging', {'PUT': plug, 'DELETE': plug_at_once})
    web.route(app, '/faults', {'GET': list_faults, 'POST': add_fault, 'DELETE': clear})
    web.route(app, '/requests', {'GET': journal})
    web.route(app, '/expire-token', {'POST': expire})
    return app
