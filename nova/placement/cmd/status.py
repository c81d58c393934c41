"""``placement-status upgrade check``: is this deployment ready for the code that is installed?"""

import sys
from typing import Any

import sqlalchemy as sa
from oslo_config import cfg
from oslo_upgradecheck import common_checks, upgradecheck

from nova.common import dbkit
from nova.placement import conf as options
from nova.placement import policy, wsgi
from nova.placement.db import repair, session


class Checks(upgradecheck.UpgradeCommands):
    """The checks, in the order in which they are printed.

    Args:
        db: by default the database that the configuration names.
    """

    def __init__(self, conf: cfg.ConfigOpts, db: dbkit.Database | None = None) -> None:
        self._conf = conf
        self._db = db

    def _count(self, query: sa.Select) -> int:
        db = self._db = self._db or session.open_database(self._conf)
        with db.read() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(query.subquery())).scalar_one()

    def _missing_roots(self, *_: Any) -> upgradecheck.Result:
        found = self._count(repair.missing_roots().order_by(None))
        if found:
            return upgradecheck.Result(
                upgradecheck.Code.FAILURE, f'There are {found} resource providers without root. Run '
                                           f'"placement-manage db online_data_migrations".')
        return upgradecheck.Result(upgradecheck.Code.SUCCESS)

    def _incomplete_consumers(self, *_: Any) -> upgradecheck.Result:
        found = self._count(repair.orphaned_consumers().order_by(None))
        if found:
            return upgradecheck.Result(
                upgradecheck.Code.WARNING, f'There are {found} consumers without record. Run '
                                           f'"placement-manage db online_data_migrations".')
        return upgradecheck.Result(upgradecheck.Code.SUCCESS)

    def _policy_file(self, *_: Any) -> upgradecheck.Result:
        policy.make_enforcer(self._conf)
        return common_checks.check_policy_json(self, self._conf)

    _upgrade_checks = (
        ('Missing Root Provider IDs', _missing_roots),
        ('Incomplete Consumers', _incomplete_consumers),
        ('Policy File JSON to YAML Migration', _policy_file),
    )


def main(arguments: list[str] | None = None) -> int:
    """Run ``upgrade check``; 0 good, 1 warning, 2 failure, 255 error."""
    conf = cfg.ConfigOpts()
    options.register_opts(conf)
    return upgradecheck.main(conf, 'placement', Checks(conf),
                             argv=sys.argv[1:] if arguments is None else arguments,
                             default_config_files=wsgi.config_files())


if __name__ == '__main__':
    sys.exit(main())
