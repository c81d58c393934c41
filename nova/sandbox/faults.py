"""Scripted faults: what goes wrong, on which request, and whether the work was done before it did.

A test says "the second POST of a port is done, but the answer never comes"; the wrapper in front of each
stand-in makes it so, and keeps a journal of the requests that came.
"""

import collections
import dataclasses
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypedDict, Unpack
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import falcon
from waitress.channel import ClientDisconnected

from nova.common import problem, threads

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
from nova.common.jsonutil import JsonObject

_SCRIPTED = 'nova.sandbox.fault'
_JOURNAL_SIZE = 10000
_LONGEST_DELAY = 600.0


class What(TypedDict, total=False):
    """What happens to which requests: see `Fault`."""

    nth: int
    count: int
    delay: float
    status: int | None
    code: str
    message: str
    after: bool
    drop: bool


@dataclasses.dataclass(slots=True)
class Fault:
    """One scripted fault.

    Args:
        service: ``identity``, ``image``, ``network``, ``volume``, or ``*``.
        method: HTTP method or ``*``.
        path: regular expression searched in the path below the service's mount point (``/v2.0/ports$``).
        nth: the first matching request that is hit, counted from 1.
        count: how many are hit from there on; 0 means all.
        delay: seconds to wait; before the work, or with `after` between work and answer.
        status: answer with this error instead of doing the work, or with `after` instead of its result.
        code: the error's name in the service's envelope, where it has one (``PortNotFound``).
        message: the error's text.
        after: the work is done first.
        drop: close the connection without an answer.
    """

    service: str = '*'
    method: str = '*'
    path: str = ''
    nth: int = 1
    count: int = 1
    delay: float = 0.0
    status: int | None = None
    code: str = ''
    message: str = 'Scripted fault.'
    after: bool = False
    drop: bool = False
    seen: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        re.compile(self.path)
        if self.status is not None and not 400 <= self.status <= 599:
            raise ValueError('status must be an error, 400 to 599')
        if self.nth < 1 or self.count < 0 or not 0 <= self.delay <= _LONGEST_DELAY:
            raise ValueError(f'nth from 1, count from 0, delay from 0 to {_LONGEST_DELAY}')

    def takes(self, service: str, method: str, path: str) -> bool:
        """Count a request; True when the fault is for it."""
        if self.service not in ('*', service) or self.method.upper() not in ('*', method) \
                or not re.search(self.path, path):
            return False
        self.seen += 1
        hit = self.seen >= self.nth and (self.count == 0 or self.seen < self.nth + self.count)
        self.hits += hit
        return hit


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """A request as the journal keeps it; `status` is None when the connection was dropped."""

    service: str
    method: str
    path: str
    status: int | None


class Faults:
    """The script and the journal of one sandbox; safe to use from any thread."""

    def __init__(self) -> None:
        self._guard = threads.lock()
        self._script: list[Fault] = []
        self._journal: collections.deque[Request] = collections.deque(maxlen=_JOURNAL_SIZE)
        self._counts: collections.Counter[str] = collections.Counter()
        self._released = threads.event()

    def add(self, service: str = '*', method: str = '*', path: str = '', **what: Unpack[What]) -> Fault:
        """Append a fault to the script; the first one that takes a request wins.

        Raises:
            ValueError, re.error, TypeError: it is not a fault.
        """
        fault = Fault(service, method, path, **what)
        with self._guard:
            self._script.append(fault)
        return fault

    def clear(self) -> None:
        """Forget the script and end every delay that is under way."""
        with self._guard:
            self._script.clear()
            self._released.set()
            self._released = threads.event()

    def script(self) -> list[JsonObject]:
        with self._guard:
            return [dataclasses.asdict(fault) for fault in self._script]

    def requests(self, service: str | None = None, method: str | None = None, path: str = '') -> list[Request]:
        """The last requests, oldest first, that fit; `path` is a regular expression."""
        with self._guard:
            journal = list(self._journal)
        return [request for request in journal if service in (None, request.service)
                and method in (None, request.method) and re.search(path, request.path)]

    def counts(self) -> dict[str, int]:
        """Requests by service since the start."""
        with self._guard:
            return dict(self._counts)

    def take(self, service: str, method: str, path: str) -> Fault | None:
        with self._guard:
            self._counts[service] += 1
            return next((fault for fault in self._script if fault.takes(service, method, path)), None)

    def note(self, request: Request) -> None:
        with self._guard:
            self._journal.append(request)

    def wait(self, seconds: float) -> None:
        """Wait, or until `clear`."""
        self._released.wait(seconds)


class Wrapper:
    """WSGI in front of one stand-in: journal, then faults."""

    def __init__(self, app: WSGIApplication, service: str, faults: Faults) -> None:
        self._app, self._service, self._faults = app, service, faults

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ['REQUEST_METHOD'], environ.get('PATH_INFO') or '/'
        fault = self._faults.take(self._service, method, path)
        status: list[int] = []

        def note_status(line: str, headers: list[tuple[str, str]], exc_info: 'OptExcInfo | None' = None, /
                        ) -> Callable[[bytes], object]:
            status.append(int(line.split(' ', 1)[0]))
            return start_response(line, headers, exc_info)
        try:
            return self._answer(fault, environ, note_status)
        finally:
            self._faults.note(Request(self._service, method, path, status[0] if status else None))

    def _answer(self, fault: Fault | None, environ: WSGIEnvironment, start_response: StartResponse
                ) -> Iterable[bytes]:
        if fault is None:
            return self._app(environ, start_response)
        if fault.after and (fault.drop or fault.status):
            _drain(self._app(environ, _Kept()))
            self._faults.wait(fault.delay)
        elif fault.after:
            kept = _Kept()
            body = _drain(self._app(environ, kept))
            self._faults.wait(fault.delay)
            start_response(kept.status, kept.headers)
            return body
        else:
            self._faults.wait(fault.delay)
        if fault.drop:
            raise ClientDisconnected
        if fault.status:
            environ[_SCRIPTED] = fault
        return self._app(environ, start_response)


class _Kept:
    """Keeps how an application begins its answer."""

    status = ''
    headers: list[tuple[str, str]]

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: 'OptExcInfo | None' = None, /
                 ) -> Callable[[bytes], object]:
        self.status, self.headers = status, headers
        return lambda part: None


def _drain(answer: Iterable[bytes]) -> list[bytes]:
    try:
        return list(answer)
    finally:
        close = getattr(answer, 'close', None)
        if close is not None:
            close()


class Raise:
    """Falcon middleware that answers a scripted status in the service's own envelope."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        fault = req.env.get(_SCRIPTED)
        if fault is not None:
            kind = type('Scripted', (problem.Problem,), {
                'status': fault.status, **({'code': fault.code} if fault.code else {})})
            raise kind(fault.message)
