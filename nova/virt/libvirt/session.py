"""The connection to libvirt: opened when it is needed, anew when libvirtd was restarted; its errors as ours."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import libvirt

from nova import errors
from nova.common import threads
from nova.virt.driver.events import Change, Lifecycle

P = ParamSpec('P')
R = TypeVar('R')
S = TypeVar('S')

_AWAY = frozenset({
    libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_ERR_NO_CONNECT,
    libvirt.VIR_ERR_INVALID_CONN, libvirt.VIR_ERR_RPC})
_AWAY_DOMAINS = frozenset({libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE})
_GONE = frozenset({libvirt.VIR_ERR_NO_DOMAIN})


def is_away(error: libvirt.libvirtError) -> bool:
    """Whether libvirt cannot be reached, rather than having said no."""
    return error.get_error_code() in _AWAY and error.get_error_domain() in _AWAY_DOMAINS


def translated(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A method whose errors of libvirt are ours."""
    @functools.wraps(method)
    def call(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(self, *args, **kwargs)
        except libvirt.libvirtError as error:
            if is_away(error):
                raise errors.virt.HypervisorUnavailable(reason=str(error)) from error
            if error.get_error_code() in _GONE:
                instance = getattr(args[0], 'instance', None) if args else None
                raise errors.virt.GuestNotFound(server=getattr(instance, 'uuid', '?')) from error
            raise errors.virt.DriverFailed(reason=str(error)) from error
    return call


_started = threads.lock()
_loop: list[threads.Thread] = []


def _run_events() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


def start_events() -> None:
    """Run libvirt's event loop in a thread of this process; once."""
    with _started:
        if not _loop:
            libvirt.registerErrorHandler(lambda context, error: None, None)
            libvirt.virEventRegisterDefaultImpl()
            _loop.append(threads.start('libvirt-events', _run_events))


class Session:
    """A connection to one libvirtd.

    Args:
        uri: as libvirt understands it.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.on_open: Callable[[libvirt.virConnect], None] = lambda conn: None
        """Called with each new connection."""
        self._lock = threads.lock()
        self._conn: libvirt.virConnect | None = None
        self._hear: Callable[[Lifecycle], None] | None = None
        self._waits: dict[tuple[str, str], list[threads.Event]] = {}
        start_events()

    @property
    def conn(self) -> libvirt.virConnect:
        """The open connection.

        Raises:
            libvirt.libvirtError: libvirtd cannot be reached.
        """
        with self._lock:
            if self._conn is None or not self._conn.isAlive():
                self._conn = self._open()
            return self._conn

    def _open(self) -> libvirt.virConnect:
        conn = libvirt.open(self.uri)
        conn.setKeepAlive(5, 3)
        conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._lifecycle, None)
        conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, self._removed, None)
        self.on_open(conn)
        return conn

    def node(self) -> str:
        """The name of the host, as libvirt knows it."""
        return self.conn.getHostname()

    # Events

    def listen(self, hear: Callable[[Lifecycle], None]) -> None:
        """See `nova.virt.driver.events`."""
        self._hear = hear

    def _lifecycle(self, conn: libvirt.virConnect, domain: libvirt.virDomain, event: int, detail: int,
                   opaque: object) -> None:
        change = change_of(event, detail)
        if change is not None and self._hear is not None:
            self._hear(Lifecycle(domain.UUIDString(), change))

    def _removed(self, conn: libvirt.virConnect, domain: libvirt.virDomain, alias: str, opaque: object) -> None:
        for event in self._waits.get((domain.UUIDString(), alias), ()):
            event.set()

    def removal(self, uuid: str, alias: str) -> 'Removal':
        """Wait within this for a guest to let a device go."""
        return Removal(self._waits, (uuid, alias))

    # Guests

    def find(self, uuid: str) -> libvirt.virDomain | None:
        """The domain of a server; None where there is none."""
        try:
            return self.conn.lookupByUUIDString(uuid)
        except libvirt.libvirtError as error:
            if error.get_error_code() in _GONE:
                return None
            raise


class Removal:
    """That a device has left a guest, as an event says it."""

    def __init__(self, waits: dict[tuple[str, str], list[threads.Event]], key: tuple[str, str]) -> None:
        self._waits, self._key, self.event = waits, key, threads.event()

    def __enter__(self) -> threads.Event:
        self._waits.setdefault(self._key, []).append(self.event)
        return self.event

    def __exit__(self, *error: object) -> None:
        waiting = self._waits[self._key]
        waiting.remove(self.event)
        if not waiting:
            del self._waits[self._key]


def change_of(event: int, detail: int) -> Change | None:
    """What an event of libvirt means; None where it is of no interest."""
    if event == libvirt.VIR_DOMAIN_EVENT_STARTED:
        return Change.STARTED
    if event == libvirt.VIR_DOMAIN_EVENT_SUSPENDED:
        if detail in (libvirt.VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED, libvirt.VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY):
            return Change.MIGRATED
        return Change.PAUSED
    if event == libvirt.VIR_DOMAIN_EVENT_RESUMED:
        return Change.RESUMED
    if event == libvirt.VIR_DOMAIN_EVENT_STOPPED:
        return _STOPPED.get(detail, Change.STOPPED)
    return None


_STOPPED = {
    libvirt.VIR_DOMAIN_EVENT_STOPPED_CRASHED: Change.CRASHED,
    libvirt.VIR_DOMAIN_EVENT_STOPPED_SAVED: Change.SUSPENDED,
    libvirt.VIR_DOMAIN_EVENT_STOPPED_MIGRATED: Change.MIGRATED,
}
