"""The Compute API started with a wrong option, before its database, or on a database without tables."""

import os
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from wsgiref import util

import pytest
from oslo_log import log

from nova import conf as nova_conf
from nova.common import dbkit
from nova.wsgi import serve


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(('127.0.0.1', 0)) as listening:
        yield listening.getsockname()[1]


def _ask(application: Any, path: str) -> tuple[str, bytes, float]:
    environ: dict[str, Any] = {'PATH_INFO': path, 'HTTP_X_AUTH_TOKEN': 'admin:acme'}
    util.setup_testing_defaults(environ)
    said: list[str] = []
    began = time.monotonic()
    body = b''.join(application(environ, lambda status, headers, *_: said.append(status)))
    return said[0], body, time.monotonic() - began


def _application(url: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> serve.Application:
    monkeypatch.setattr(log, 'setup', lambda conf, product: None)  # it would take the log of the whole run
    return serve.Application(nova_conf.new(config_files=[], **{
        'api.auth_strategy': 'noauth2', 'api_database.connection': url, 'database.connection': url,
        'transport_url': 'inproc://', 'state_path': str(tmp_path)}))


@pytest.mark.parametrize('scheme', ['mysql+pymysql', 'postgresql+psycopg'])
def test_a_silent_database_is_503_within_seconds(scheme: str, silent: int, tmp_path: pathlib.Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    application = _application(f'{scheme}://nova:SECRET@127.0.0.1:{silent}/nova_api', tmp_path, monkeypatch)
    assert [_ask(application, path)[0][:3] for path in ('/', '/v2.1/')] == ['200', '200']
    status, body, seconds = _ask(application, '/v2.1/flavors')
    assert status[:3] == '503' and b'"code":503' in body.replace(b' ', b''), body
    assert seconds < dbkit.CONNECT_TIMEOUT + 3


def test_a_database_without_tables_is_503(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch,
                                          caplog: pytest.LogCaptureFixture) -> None:
    application = _application(f'sqlite:///{tmp_path}/empty.sqlite', tmp_path, monkeypatch)
    assert _ask(application, '/v2.1/flavors')[0][:3] == '503'
    assert 'run db sync' in caplog.text and 'Traceback' not in caplog.text


@pytest.mark.parametrize(('text', 'why'), [
    ('[api]\nmax_limit = many\n', 'max_limit'),
    ('[api]\nauth_strategy = none\n', 'auth_strategy'),
    (None, 'nova.conf'),
])
def test_a_wrong_option_ends_the_process_with_one_line(text: str | None, why: str, tmp_path: pathlib.Path
                                                       ) -> None:
    if text is not None:
        (tmp_path / 'nova.conf').write_text(text)
    done = subprocess.run([sys.executable, '-c', 'import nova.wsgi.osapi_compute'], capture_output=True,
                          text=True, check=False, env={'PATH': os.environ['PATH'],
                                                       'OS_NOVA_CONFIG_DIR': str(tmp_path)})
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1 and why in done.stderr, done.stderr
