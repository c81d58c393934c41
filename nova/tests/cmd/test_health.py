"""What processes say of their health, and where."""

import json
import socket
import threading
import urllib.error
import urllib.request
from wsgiref import util

import pytest
from oslo_log import log

from nova import conf as nova_conf
from nova.cmd import conductor as conductor_cmd
from nova.cmd import scheduler as scheduler_cmd
from nova.common import dbkit, health, metrics
from nova.db import migrate
from nova.placement import conf as placement_conf
from nova.placement import server
from nova.tests.cmd.test_processes import eventually
from nova.tests.fixtures.ports import free_port
from nova.wsgi import serve


def page(port):
    """Status and body of a health check."""
    try:
        with urllib.request.urlopen(f'http://127.0.0.1:{port}/healthcheck', timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_probe():
    def away():
        raise ConnectionError('mysql://user:secret@host is away')
    assert health.Probe('the database', lambda: None)() is None
    assert health.Probe('the database', away)() == 'the database cannot be used (ConnectionError)'


def test_a_question_that_hangs_is_asked_once():
    """A health check answers in time, and makes no thread a time while it waits."""
    ended, asked = threading.Event(), []

    def hang():
        asked.append(1)
        ended.wait(20)
    probe = health.Probe('the database', hang, seconds=0.05)
    assert probe().startswith('the database has not answered for')
    assert probe().startswith('the database has not answered for')
    assert len(asked) == 1
    ended.set()
    assert eventually(lambda: probe() is None)


def test_pulse():
    pulse = health.Pulse('nothing has happened', 0.1)
    assert pulse() is None
    assert eventually(lambda: pulse() == 'nothing has happened for 0 s')
    pulse.beat()
    assert pulse() is None


def test_workers_of_other_servers_take_the_next_port():
    """Of gunicorn's, none knows its number."""
    port = free_port()
    conf = nova_conf.new(config_files=[], **{'prometheus.port': port})
    pages = [metrics.page_of(conf, {'bus': lambda why=why: why}, None) for why in (None, 'it is away')]
    try:
        assert pages[0].port == port < pages[1].port
        assert page(port) == (200, {'status': 'ok'})
        assert page(pages[1].port) == (503, {'status': 'failing', 'reasons': {'bus': 'it is away'}})
        with pytest.raises(OSError, match='in use'):
            metrics.page_of(conf, {}, 0)
    finally:
        for each in pages:
            each.stop()


def test_nobody_elsewhere_sees_the_page():
    conf = nova_conf.new(config_files=[])
    assert conf.prometheus.address == '127.0.0.1' and metrics.page_of(conf, {}, 0) is None


@pytest.fixture
def files(tmp_path):
    """Databases of an API and a cell, and the options that name them."""
    urls = {name: f'sqlite:///{tmp_path}/{name}.db' for name in ('api', 'cell')}
    for name, url in urls.items():
        db = dbkit.Database(url)
        migrate.sync(db, name)
        db.dispose()
    return tmp_path, {'api_database.connection': urls['api'], 'database.connection': urls['cell'],
                      'transport_url': f'inproc://{tmp_path.name}', 'state_path': str(tmp_path)}


def test_conductor_and_scheduler(files):
    """Bus, databases, and whether somebody looks after the tasks: what is away is named, by both at once."""
    directory, options = files
    conf = nova_conf.new(config_files=[], **options, **{
        'conductor.role': 'cell', 'task.beat_seconds': 0.05, 'task.lease_seconds': 0.2})
    found = conductor_cmd.build(conf)
    checks = found.checks
    assert set(checks) == {'bus', 'cell database', 'cell tasks'}
    found.start()
    assert eventually(lambda: health.reasons(checks) == {})
    cell = dbkit.Database(options['database.connection'])
    with cell.engine.begin() as conn:
        conn.exec_driver_sql('ALTER TABLE workers RENAME TO gone')
    assert eventually(lambda: 'cell tasks' in health.reasons(checks))
    assert health.reasons(checks)['cell tasks'].startswith('tasks have not been looked after for')
    with cell.engine.begin() as conn:
        conn.exec_driver_sql('ALTER TABLE gone RENAME TO workers')
    assert eventually(lambda: health.reasons(checks) == {})
    found.stop()
    cell.dispose()

    away = nova_conf.new(config_files=[], **{
        **options, 'api_database.connection': f'sqlite:///{directory}/no/such/directory/api.db'})
    ill = health.reasons(scheduler_cmd.build(away).checks)
    assert list(ill) == ['database'] and ill['database'].startswith('the API database cannot be used (')


def test_a_broker_that_is_away_is_noticed_by_who_sends_nothing():
    conf = nova_conf.new(config_files=[], **{
        'transport_url': f'rabbit://user:secret@127.0.0.1:{free_port()}/',
        'api_database.connection': 'sqlite://'})
    found = scheduler_cmd.build(conf)
    found.start()
    said = eventually(lambda: found.checks['bus']())
    assert 'broker cannot be reached' in said or 'not listening' in said
    assert 'secret' not in said
    found.stop()


@pytest.fixture
def ended(monkeypatch):
    """The pages that WSGI applications of this test have opened; they end with it."""
    opened = []
    start = metrics.Page.start

    def note(self):
        opened.append(self)
        return start(self)
    monkeypatch.setattr(metrics.Page, 'start', note)
    yield opened
    for each in opened:
        each.stop()


def call(app, path):
    """The status of a GET."""
    said = []
    environ = {'PATH_INFO': path}
    util.setup_testing_defaults(environ)
    list(app(environ, lambda status, headers, *_: said.append(status)))
    return said[0]


def test_wsgi_applications_open_a_page_too(files, ended, monkeypatch):
    """Under any server: with the first request that a worker serves."""
    directory, options = files
    port = free_port()
    sections = {'DEFAULT': {'transport_url': options['transport_url'], 'log_file': directory / 'log'},
                'api_database': {'connection': options['api_database.connection']},
                'api': {'auth_strategy': 'noauth2'}, 'prometheus': {'port': port}}
    (directory / 'nova.conf').write_text(''.join(
        f'[{name}]\n' + ''.join(f'{key} = {value}\n' for key, value in body.items())
        for name, body in sections.items()))
    monkeypatch.setenv('OS_NOVA_CONFIG_DIR', str(directory))
    # It would take the log of the whole test run.
    monkeypatch.setattr(log, 'setup', lambda conf, product: None)
    assert call(serve.Application(serve.load()), '/') == '200 OK'
    assert page(port) == (200, {'status': 'ok'})

    (directory / 'placement.conf').write_text(
        f'[placement_database]\nconnection = sqlite:///{directory}/placement.db\nsync_on_startup = true\n'
        f'[api]\nauth_strategy = noauth2\n[prometheus]\nport = {port}\n[DEFAULT]\nlog_file = {directory}/log\n')
    monkeypatch.setenv('OS_PLACEMENT_CONFIG_DIR', str(directory))
    assert call(server.Application(placement_conf.load()), '/') == '200 OK'
    assert page(ended[1].port) == (200, {'status': 'ok'})
    assert ended[0].port == port < ended[1].port


def test_the_page_serves_many_at_once():
    """One who is slow to read does not keep others from it."""
    made = metrics.Page(0, {'bus': lambda: None}).start()
    with socket.create_connection(('127.0.0.1', made.port)):
        assert page(made.port) == (200, {'status': 'ok'})
    made.stop()
