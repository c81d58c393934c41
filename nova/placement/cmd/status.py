"""``placement-status upgrade check``: is this deployment ready for the code that is installed?"""

import sys

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import exception as db_exc
from oslo_upgradecheck import common_checks, upgradecheck

from nova.common import dbkit, package
from nova.placement import conf as options
from nova.placement import policy
from nova.placement.db import repair, session


class Checks(upgradecheck.UpgradeCommands):
    """The checks, in the order in which they are printed.

    Args:
        db: by default the database that the configuration names.
    """

    def __init__(self, conf: cfg.ConfigOpts, db: dbkit.Database | None = None) -> None:
        self._conf = conf
        self._db = db

    def check(self) -> upgradecheck.Code:
        """Run every check; the exit code. Where it is impossible to look the reason is told, and it is 255."""
        try:
            return super().check()
        except session.NotConfigured as error:
            why = str(error)
        except (db_exc.DBError, sa.exc.SQLAlchemyError) as error:
            why = dbkit.reason(error)
        sys.stderr.write(f'placement-status: {why}\n')
        return 255  # type: ignore[return-value]  # what the library itself returns when it fails

    def _open(self) -> dbkit.Database:
        self._db = self._db or session.open_database(self._conf)
        return self._db

    def _schema(self, *_: object) -> upgradecheck.Result:
        found = session.state(self._open())
        if found is session.State.CURRENT:
            return upgradecheck.Result(upgradecheck.Code.SUCCESS)
        return upgradecheck.Result(upgradecheck.Code.FAILURE,
                                   f'The database {found.value}. {session.WHAT_TO_DO[found]}')

    def _counted(self, query: sa.Select, code: upgradecheck.Code, what: str) -> upgradecheck.Result:
        """The result of a check that looks for rows; it does not look into tables of others."""
        if session.state(self._open()) is not session.State.CURRENT:
            return upgradecheck.Result(upgradecheck.Code.FAILURE, 'The schema comes first.')
        with self._open().read() as connection:
            found = connection.execute(
                sa.select(sa.func.count()).select_from(query.order_by(None).subquery())).scalar_one()
        if not found:
            return upgradecheck.Result(upgradecheck.Code.SUCCESS)
        return upgradecheck.Result(
            code, f'There are {found} {what}. Run "placement-manage db online_data_migrations".')

    def _missing_roots(self, *_: object) -> upgradecheck.Result:
        return self._counted(repair.missing_roots(), upgradecheck.Code.FAILURE,
                             'resource providers without root')

    def _incomplete_consumers(self, *_: object) -> upgradecheck.Result:
        return self._counted(repair.orphaned_consumers(), upgradecheck.Code.WARNING, 'consumers without record')

    def _policy_file(self, *_: object) -> upgradecheck.Result:
        policy.rules(self._conf)
        return common_checks.check_policy_json(self, self._conf)

    _upgrade_checks = (
        ('Schema', _schema),
        ('Missing Root Provider IDs', _missing_roots),
        ('Incomplete Consumers', _incomplete_consumers),
        ('Policy File JSON to YAML Migration', _policy_file),
    )


def main(arguments: list[str] | None = None) -> int:
    """Run ``upgrade check``; 0 good, 1 warning, 2 failure, 255 error."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if '--version' in arguments:
        print(package.version())
        return 0
    conf = cfg.ConfigOpts()
    options.register_opts(conf)
    try:
        return upgradecheck.main(conf, 'placement', Checks(conf), argv=arguments,
                                 default_config_files=options.files())
    except cfg.Error as error:
        sys.stderr.write(f'placement-status: {error}\n')
        return 255


if __name__ == '__main__':
    sys.exit(main())
