"""What goes wrong with a command is said in one readable line, and its exit code is not zero."""

import pathlib
import subprocess
import sys

import pytest
import sqlalchemy as sa

from nova.common import package
from nova.placement.cmd import manage, status
from nova.tests.fixtures import databases


def _line(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert 'Traceback' not in captured.out + captured.err
    lines = captured.err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def _connect(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv('OS_PLACEMENT_DATABASE__CONNECTION', url)
    monkeypatch.setenv('OS_PLACEMENT_CONFIG_DIR', str(tmp_path))


@pytest.fixture
def url(kind: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch,
        tmp_path: pathlib.Path) -> str:
    with databases.database_url(kind, tmp_path_factory) as found:
        _connect(found, monkeypatch, tmp_path)
        yield found


def test_an_unknown_revision(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ('sync', 'stamp'):
        assert manage.main(['db', command, 'pumpkin']) != 0
        assert 'pumpkin' in _line(capsys)


def test_no_schema(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert manage.main(['db', 'create_incomplete_consumers']) == manage.BROKEN
    assert 'run db sync' in _line(capsys)
    assert status.main(['upgrade', 'check']) == 2
    assert 'db sync' in capsys.readouterr().out


@pytest.mark.real
@pytest.mark.parametrize('server', ['mysql', 'postgresql'])
def test_a_wrong_user_and_a_missing_database(server: str, tmp_path: pathlib.Path,
                                             monkeypatch: pytest.MonkeyPatch,
                                             tmp_path_factory: pytest.TempPathFactory,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    with databases.database_url(server, tmp_path_factory) as found:
        right = sa.make_url(found)
    wrong = {'refuses the user': right.set(username='nobody_here', password='SECRET'),
             'does not exist': right.set(database='pumpkin'),
             'cannot be reached': right.set(port=1, host='127.0.0.1', query={})}
    for why, one in wrong.items():
        _connect(one.render_as_string(hide_password=False), monkeypatch, tmp_path)
        for run in (lambda: manage.main(['db', 'version']), lambda: manage.main(['db', 'sync']),
                    lambda: status.main(['upgrade', 'check'])):
            assert run() == 255
            line = _line(capsys)
            assert why in line and 'SECRET' not in line


@pytest.mark.parametrize('main', [lambda *more: manage.main([*more, 'db', 'sync']),
                                  lambda *more: status.main([*more, 'upgrade', 'check'])])
def test_a_missing_file_and_a_bad_url(main, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch,
                                      capsys: pytest.CaptureFixture[str]) -> None:
    _connect('nonsense', monkeypatch, tmp_path)
    assert main('--config-file', f'{tmp_path}/pumpkin.conf') != 0
    assert 'pumpkin.conf' in _line(capsys)
    assert main() != 0
    assert 'no URL of a database' in _line(capsys)
    _connect('sqlite:////no/such/folder/at/all.sqlite', monkeypatch, tmp_path)
    assert main() != 0
    assert 'does not exist' in _line(capsys)


PROGRAMS = ('nova-api', 'nova-compute', 'nova-conductor', 'nova-manage', 'nova-policy', 'nova-scheduler',
            'nova-standalone', 'nova-status', 'placement-manage', 'placement-status')


@pytest.mark.parametrize('program', PROGRAMS)
def test_every_command_tells_its_version(program: str) -> None:
    path = pathlib.Path(sys.executable).with_name(program)
    done = subprocess.run([path, '--version'], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, [package.version()]), done.stderr


@pytest.mark.parametrize('program', ['nova-policy', 'nova-status', 'nova-manage'])
def test_other_commands_without_their_file(program: str) -> None:
    words = {'nova-policy': ['check'], 'nova-status': ['upgrade', 'check'], 'nova-manage': ['db', 'version']}
    path = pathlib.Path(sys.executable).with_name(program)
    done = subprocess.run([path, '--config-file', '/no/pumpkin.conf', *words[program]], capture_output=True,
                          text=True, check=False)
    assert done.returncode != 0 and 'pumpkin.conf' in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
