"""Servers as their metadata is made of them, remembered for some seconds: guests ask dozens of times at a
boot."""

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

import sqlalchemy as sa
from oslo_config import cfg

from nova import context as nova_context
from nova import errors, objects
from nova.api.finder import Finder, Found
from nova.api.metadata import vendordata
from nova.cells import Cells
from nova.common import clock, dbkit, threads
from nova.domain import guest_password
from nova.domain.instance_metadata.subject import Subject
from nova.objects.instance import WORK

if TYPE_CHECKING:
    from nova.db.session import Databases

SEED_BYTES = 512
_MOST = 10_000
"""Servers remembered at most."""


class Servers:
    """Reads servers for one process.

    Args:
        own: the one cell that is asked ([api] local_metadata_per_cell); None asks the API database where a
        server is.
    """

    def __init__(self, conf: cfg.ConfigOpts, dbs: 'Databases', own: dbkit.Database | None,
                 operator: vendordata.Vendordata) -> None:
        self._conf, self._own, self._operator = conf, own, operator
        self._finder = Finder(Cells(dbs, conf.api.cell_timeout))
        self._known: dict[str, tuple[float, Found, Subject]] = {}
        self._lock = threads.lock()

    def subject(self, uuid: str) -> Subject:
        """What there is to say about a server.

        Raises:
            ServerNotFound: there is none.
            CellDown: its cell cannot be asked; 503.
        """
        return self._get(uuid)[1]

    def _get(self, uuid: str) -> tuple[Found, Subject]:
        now = clock.monotonic()
        with self._lock:
            known = self._known.get(uuid)
        if known is not None and known[0] > now:
            return known[1], known[2]
        found = self._find(uuid)
        instance = found.instance
        zone = instance.availability_zone or self._conf.default_availability_zone
        subject = Subject(instance, zone, self._conf.api.dhcp_domain, secrets.token_bytes(SEED_BYTES),
                          vendordata=self._operator.static(),
                          vendordata_dynamic=self._operator.dynamic(instance))
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[uuid] = (now + self._conf.api.metadata_cache_expiration, found, subject)
        return found, subject

    def _find(self, uuid: str) -> Found:
        if self._own is None:
            return self._finder.find(nova_context.admin(), uuid, WORK)
        with self._own.read() as conn:
            return Found(objects.Instance.get(conn, WORK, uuid=uuid), None, self._own)

    def password(self, uuid: str) -> str:
        """The sealed password that the guest has left; empty where it has left none."""
        return guest_password.of(self._find(uuid).instance.system_metadata)

    def leave_password(self, uuid: str, sealed: str) -> None:
        """Keep the sealed password of a guest, once.

        Raises:
            Conflict: it has left one already.
            Invalid: it is too long.
        """
        if len(sealed) > guest_password.MOST:
            raise errors.Invalid(f'The password is longer than {guest_password.MOST} characters.')
        found = self._find(uuid)
        found.db.write(_keeping(uuid, sealed))
        with self._lock:
            self._known.pop(uuid, None)


def _keeping(uuid: str, sealed: str) -> Callable[[sa.Connection], None]:
    def write(conn: sa.Connection) -> None:
        objects.hold(conn, objects.Instance, uuid=uuid)
        fresh = objects.Instance.get(conn, (), uuid=uuid)
        if guest_password.of(fresh.system_metadata):
            raise errors.Conflict('The password was left already.')
        fresh.system_metadata = guest_password.put(fresh.system_metadata, sealed)
        fresh.save(conn)
    return write
