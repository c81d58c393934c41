"""The databases of a cluster: made with a user each, then filled by the commands an operator types."""

import os
import pathlib
import subprocess
import sys
import urllib.parse

import cluster_config
import servers
import sqlalchemy as sa

FLAVORS = (('1', 'm1.tiny', 1, 512, 1), ('2', 'm1.small', 1, 2048, 20), ('3', 'm1.medium', 2, 4096, 40),
           ('4', 'm1.large', 4, 8192, 80))


def make_databases(deployment: cluster_config.Deployment, admin_url: str) -> None:
    """One database and one user for each of `deployment.databases`.

    Args:
        admin_url: SQLAlchemy URL of a user who may make them.
    """
    url = sa.make_url(admin_url)
    if deployment.database_kind == 'postgresql':
        url = url.set(database='postgres')
    engine = sa.create_engine(url, isolation_level='AUTOCOMMIT')
    with engine.connect() as conn:
        for name in deployment.databases:
            password = deployment.passwords[f'db:{name}']
            for statement in _statements(deployment, name, password):
                conn.exec_driver_sql(statement)
    engine.dispose()
    deployment.admin_url = admin_url
    deployment.server = urllib.parse.urlsplit(admin_url).netloc.rpartition('@')[2]


def _statements(deployment: cluster_config.Deployment, name: str, password: str) -> list[str]:
    if deployment.database_kind == 'postgresql':
        return [f"CREATE ROLE {name} LOGIN PASSWORD '{password}'", f'CREATE DATABASE {name} OWNER {name}',
                f'REVOKE CONNECT ON DATABASE {name} FROM PUBLIC']
    return [f'CREATE DATABASE {name} CHARACTER SET {deployment.character_set(name)}',
            f"CREATE USER '{name}'@'127.0.0.1' IDENTIFIED BY '{password}'",
            f"GRANT ALL ON {name}.* TO '{name}'@'127.0.0.1'"]


def manage(deployment: cluster_config.Deployment, *words: str, service: str = 'super-conductor',
           scripts: pathlib.Path | None = None) -> str:
    """Run nova-manage with the configuration of a process; returns what it prints."""
    file = deployment.directory / 'etc' / service / 'nova.conf'
    return run_script(['nova-manage', '--config-file', str(file), *words], {}, scripts)


def run_script(words: list[str], env: dict[str, str], scripts: pathlib.Path | None = None) -> str:
    """Run a command of our virtual environment, or one among `scripts`; returns what it prints."""
    script = (scripts or pathlib.Path(sys.executable).parent) / words[0]
    done = subprocess.run([script, *words[1:]], capture_output=True, text=True, check=False,
                          env={**os.environ, 'PYTHONWARNINGS': 'ignore', **env})
    if done.returncode != 0:
        # Of the words none that may hold a password.
        said = ' '.join(word for word in words if '://' not in word)
        raise servers.NotStarted(f'{said} failed:\n{done.stdout}{done.stderr}')
    return done.stdout


def fill(deployment: cluster_config.Deployment, scripts: pathlib.Path | None = None) -> None:
    """Schema of every database, and the cells.

    Args:
        scripts: where nova-manage is, when not in our virtual environment.
    """
    run_script(['placement-manage', 'db', 'sync'], _placement(deployment), scripts)
    manage(deployment, 'api_db', 'sync', scripts=scripts)
    manage(deployment, 'cell_v2', 'map_cell0', '--database_connection', deployment.database('cell0'),
           scripts=scripts)
    manage(deployment, 'db', 'sync', scripts=scripts)
    for cell in deployment.cells:
        manage(deployment, 'db', 'sync', '--local_cell', service=f'{cell}-conductor1', scripts=scripts)
        manage(deployment, 'cell_v2', 'create_cell', '--name', cell, '--transport-url', deployment.bus(cell),
               '--database_connection', deployment.database(cell), scripts=scripts)


def upgrade(deployment: cluster_config.Deployment) -> None:
    """The schema of this checkout in every database that is filled already."""
    run_script(['placement-manage', 'db', 'sync'], _placement(deployment))
    manage(deployment, 'api_db', 'sync')
    manage(deployment, 'db', 'sync')
    for cell in deployment.cells:
        manage(deployment, 'db', 'sync', '--local_cell', service=f'{cell}-conductor1')


def _placement(deployment: cluster_config.Deployment) -> dict[str, str]:
    return {'OS_PLACEMENT_CONFIG_DIR': str(deployment.directory / 'etc' / 'placement')}
