"""nova-status: is this deployment ready for this release?"""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator

import sqlalchemy as sa
from keystoneauth1 import exceptions as ks_exc
from keystoneauth1 import loading
from oslo_config import cfg
from oslo_db import exception as db_exc
from oslo_upgradecheck import upgradecheck
from sqlalchemy import exc as sa_exc

from nova import conf as nova_conf
from nova import errors, version
from nova.cells import Cells
from nova.db import session
from nova.db.api import models
from nova.db.cell import models as cell_models
from nova.objects.cell_mapping import CELL0_UUID, CellMapping
from nova.objects.service import Service

PLACEMENT_NEEDED = (1, 36)
CINDER_NEEDED = (3, 44)

_NO_SCHEMA = 'a database has no schema: run nova-manage api_db sync and db sync'
_WHY: tuple[tuple[type[Exception], str], ...] = (
    (db_exc.DBNonExistentTable, _NO_SCHEMA),
    (sa_exc.ProgrammingError, _NO_SCHEMA),
    (db_exc.DBConnectionError, 'a database cannot be reached'),
    (db_exc.DBError, 'a database cannot be used'),
    (sa_exc.ArgumentError, 'a connection is no database URL'),
    (sa_exc.SQLAlchemyError, 'a database cannot be used'),
)
"""What is said of errors whose own text is for programmers, and may name users."""

Result = upgradecheck.Result
Code = upgradecheck.Code


def _ok(details: str | None = None) -> Result:
    return Result(Code.SUCCESS, details)


def _warning(details: str) -> Result:
    return Result(Code.WARNING, details)


def _failure(details: str) -> Result:
    return Result(Code.FAILURE, details)


class Checks(upgradecheck.UpgradeCommands):
    """The checks, in the order in which they are shown.

    Args:
        conf: read by the time a check runs.
        newest: how the newest microversion of a service is found: ``(section of nova.conf) -> (major, minor)``.
    """

    def __init__(self, conf: cfg.ConfigOpts,
                 newest: Callable[[cfg.ConfigOpts, str], tuple[int, int]] | None = None) -> None:
        self.conf = conf
        self.newest = newest or newest_microversion

    def check(self) -> Code:
        """Run every check; the exit code. Where it is impossible to look the reason is told, and it is 255."""
        try:
            return super().check()
        except (db_exc.DBError, sa_exc.SQLAlchemyError, errors.NovaError) as error:
            # oslo.db knows a missing table on SQLite alone; it leaves MariaDB's alone and wraps PostgreSQL's.
            causes = (error, getattr(error, 'inner_exception', None))
            why = next((text for kind, text in _WHY if any(isinstance(one, kind) for one in causes)),
                       str(error))
            sys.stderr.write(f'nova-status: {why} ({type(error).__name__})\n')
            return 255  # type: ignore[return-value]  # what the library itself returns when it fails

    def cells(self) -> Result:
        """cell0, at least one more cell, and no computes without mapped hosts."""
        with session_of(self.conf) as dbs:
            mappings = Cells(dbs).every()
            with dbs.api.read() as conn:
                hosts = conn.execute(sa.select(sa.func.count()).select_from(models.host_mappings)).scalar_one()
            if not any(mapping.uuid == CELL0_UUID for mapping in mappings):
                return _failure('There is no cell0; run nova-manage cell_v2 map_cell0.')
            if len(mappings) < 2:
                return _failure('There is no cell for servers; run nova-manage cell_v2 create_cell.')
            if hosts:
                return _ok()
            if any(_services(dbs, mapping, 'nova-compute') for mapping in mappings):
                return _failure('There are compute services and no mapped hosts; run nova-manage cell_v2 '
                                'discover_hosts.')
            return _ok('There are no computes yet.')

    def placement(self) -> Result:
        return self._service('placement', 'placement', PLACEMENT_NEEDED, _failure)

    def cinder(self) -> Result:
        if not self.conf[self.conf.cinder.auth_section or 'cinder'].auth_type:
            return _ok('[cinder] has no credentials, so volumes are not used.')
        return self._service('volume', 'cinder', CINDER_NEEDED, _warning)

    def _service(self, what: str, section: str, needed: tuple[int, int], unknown: Callable[[str], Result]
                 ) -> Result:
        try:
            found = self.newest(self.conf, section)
        except (ks_exc.ClientException, ValueError, KeyError) as error:
            return unknown(f'The {what} service cannot be asked for its version ({type(error).__name__}); look '
                           f'at [{section}] and at the catalog.')
        if found < needed:
            return _failure(f'The {what} service knows versions up to {found[0]}.{found[1]}; '
                            f'{needed[0]}.{needed[1]} is needed.')
        return _ok()

    def policy_file(self) -> Result:
        """JSON was the format of old policy files; only YAML is read."""
        path = self.conf.find_file(self.conf.oslo_policy.policy_file)
        if path is None or not os.path.exists(path):
            return _ok()
        with open(path, encoding='utf-8') as file:
            text = file.read()
        try:
            rules = json.loads(text)
        except ValueError:
            return _ok()
        if not rules:
            return _ok()
        return _failure(f'{path} is JSON. Convert it with oslopolicy-convert-json-to-yaml.')

    def old_computes(self) -> Result:
        """Computes of the release before the previous one cannot take part."""
        with session_of(self.conf) as dbs:
            old = sorted(service.host for mapping in _mappings(dbs)
                         for service in _services(dbs, mapping, 'nova-compute')
                         if service.version < version.OLDEST_SUPPORTED_SERVICE)
        if old:
            return _failure(f'Upgrade these compute services first: {", ".join(old)}')
        return _ok()

    def machine_types(self) -> Result:
        """A server without a recorded machine type may get another one when it starts again."""
        table, count = cell_models.instances, 0
        with session_of(self.conf) as dbs:
            for mapping in _mappings(dbs):
                with Cells(dbs).db(mapping).read() as conn:
                    notes = conn.execute(sa.select(table.c.system_metadata).where(
                        table.c.deleted == 0, table.c.host.is_not(None))).scalars()
                    count += sum('image_hw_machine_type' not in (note or {}) for note in notes)
        if count:
            return _warning(f'{count} servers have no recorded machine type.')
        return _ok()

    def service_token(self) -> Result:
        if not self.conf.service_user.send_service_user_token:
            return _failure('Set [service_user] send_service_user_token and credentials there: without them '
                            'volumes may stay attached on the host after a detach.')
        return _ok()

    _upgrade_checks = (
        ('Cells v2', cells),
        ('Placement API', placement),
        ('Cinder API', cinder),
        ('Policy File JSON to YAML Migration', policy_file),
        ('Older than N-1 computes', old_computes),
        ('hw_machine_type unset', machine_types),
        ('Service User Token Configuration', service_token),
    )


@contextlib.contextmanager
def session_of(conf: cfg.ConfigOpts) -> Iterator[session.Databases]:
    """The databases of a configuration, closed at the end."""
    dbs = session.Databases(conf, patience=None)
    try:
        yield dbs
    finally:
        dbs.dispose()


def _mappings(dbs: session.Databases) -> list[CellMapping]:
    return [mapping for mapping in Cells(dbs).every() if not mapping.is_cell0]


def _services(dbs: session.Databases, mapping: CellMapping, binary: str) -> list[Service]:
    with Cells(dbs).db(mapping).read() as conn:
        return Service.all(conn, binary=binary)


def newest_microversion(conf: cfg.ConfigOpts, section: str) -> tuple[int, int]:
    """What the version document of a service offers at most.

    Raises:
        keystoneauth1.exceptions.ClientException: it cannot be reached, or we cannot log in.
        ValueError, KeyError: it answers something else.
    """
    auth = loading.load_auth_from_conf_options(conf, section)
    asking = loading.load_session_from_conf_options(conf, section, auth=auth)
    kind = conf.cinder.catalog_info.partition(':')[0] if section == 'cinder' else section
    data = asking.get_endpoint_data(auth, service_type=kind, interface=['internal', 'public'])
    if data is None or data.max_microversion is None:
        raise KeyError(section)
    return tuple(data.max_microversion)  # type: ignore[return-value]


def main(argv: list[str] | None = None) -> int:
    """Entry point: 0 all good, 1 at least one warning, 2 at least one failure, 255 unexpected error."""
    argv = sys.argv[1:] if argv is None else argv
    if '--version' in argv:
        sys.stdout.write(f'{version.package()}\n')
        return 0
    conf = nova_conf.register(cfg.ConfigOpts())
    try:
        return int(upgradecheck.main(conf, 'nova', Checks(conf), argv))
    except cfg.Error as error:
        sys.stderr.write(f'nova-status: {error}\n')
        return 255
