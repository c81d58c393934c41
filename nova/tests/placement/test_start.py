"""Placement started with a wrong option, before its database, or on a database without a schema."""

import os
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from nova.common import dbkit
from nova.placement import app, direct
from nova.placement.db import session
from nova.tests.fixtures import databases, placement


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(('127.0.0.1', 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize('scheme', ['mysql+pymysql', 'postgresql+psycopg'])
def test_a_silent_database_is_503_within_seconds(scheme: str, silent: int) -> None:
    db = dbkit.Database(f'{scheme}://nova:SECRET@127.0.0.1:{silent}/placement', reconnect=1.0)
    client = direct.Client(app.make_app(placement.make_conf(), db))
    assert client.get('/').status_code == 200
    assert client.get('/openapi.json').status_code == 200
    began = time.monotonic()
    answer = client.get('/resource_providers')
    assert (answer.status_code, answer.json()['errors'][0]['title']) == (503, 'Service Unavailable')
    assert time.monotonic() - began < dbkit.CONNECT_TIMEOUT + 3


def test_it_recovers_by_itself(tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level('INFO')
    missing = dbkit.Database(f'sqlite:///{tmp_path}/empty.sqlite')
    client = direct.Client(app.make_app(placement.make_conf(), missing))
    answer = client.get('/resource_providers')
    assert answer.status_code == 503
    assert 'run db sync' in caplog.text and 'Traceback' not in caplog.text
    session.sync(missing)
    assert client.get('/resource_providers').status_code == 200


def test_without_a_schema_it_says_so_on_every_database(kind: str, tmp_path_factory: pytest.TempPathFactory,
                                                       caplog: pytest.LogCaptureFixture) -> None:
    with databases.database_url(kind, tmp_path_factory) as url:
        db = dbkit.Database(url)
        client = direct.Client(app.make_app(placement.make_conf(), db))
        assert [client.get('/').status_code, client.get('/traits').status_code] == [200, 503]
        assert 'run db sync' in caplog.text
        session.sync(db)
        assert client.get('/traits').status_code == 200
        db.dispose()


WRONG = {
    'value': ('[placement_database]\nconnection = sqlite://\nmax_pool_size = many\n', 'max_pool_size'),
    'choice': ('[placement_database]\nconnection = sqlite://\n[api]\nauth_strategy = none\n', 'auth_strategy'),
    'url': ('[placement_database]\nconnection = nonsense\n', 'no URL of a database'),
    'kind': ('[placement_database]\nconnection = oracular+x://db/x\n', 'no such kind of database'),
    'nothing': ('', 'connection is not set'),
}


@pytest.mark.parametrize('wrong', WRONG.values(), ids=WRONG)
def test_a_wrong_option_ends_the_process_with_one_line(wrong: tuple[str, str], tmp_path: pathlib.Path) -> None:
    text, why = wrong
    (tmp_path / 'placement.conf').write_text(text)
    done = subprocess.run([sys.executable, '-c', 'import nova.placement.wsgi'], capture_output=True, text=True,
                          check=False, env={'PATH': os.environ['PATH'],
                                            'OS_PLACEMENT_CONFIG_DIR': str(tmp_path)})
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1 and why in done.stderr, done.stderr
