"""nova-manage api_db: the schema of the API database."""

from argparse import Namespace

from nova.cmd.manage.command import Env, arg, command
from nova.db import migrate


@command('api_db', 'sync', arg('version', nargs='?', help='revision to stop at; by default the newest'))
def sync(env: Env, options: Namespace) -> int | None:
    """Create or upgrade the schema of the API database."""
    migrate.sync(env.dbs.api, 'api', revision=options.version)
    return 0


@command('api_db', 'version')
def show_version(env: Env, options: Namespace) -> int | None:
    """Print the revisions of the API database."""
    env.say(' '.join(migrate.version(env.dbs.api, 'api')) or '0')
    return 0
