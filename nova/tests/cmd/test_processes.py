"""Service processes: workers, signals, the operators' page."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

from nova.common import metrics
from nova.tests.fixtures import waiting
from nova.tests.fixtures.ports import free_port


def get(port, path='/', timeout=10):
    with urllib.request.urlopen(f'http://127.0.0.1:{port}{path}', timeout=timeout) as answer:
        return answer.read().decode()


def eventually(fn, seconds=waiting.PATIENCE):
    """`fn`'s first result that is neither an error of the network nor false."""
    def ask():
        with contextlib.suppress(OSError):
            return fn()
    return waiting.until(ask, seconds)


@pytest.fixture
def launch(tmp_path):
    running = []

    def start(module='nova.tests.cmd.echo', workers=1, port=None, **options):
        port = port or free_port()
        lines = {'osapi_compute_listen': '127.0.0.1', 'osapi_compute_listen_port': port,
                 'osapi_compute_workers': workers, 'graceful_shutdown_timeout': 5, 'state_path': tmp_path,
                 'log_file': tmp_path / 'log', **options}
        file = tmp_path / 'nova.conf'
        more = {key: lines.pop(key) for key in list(lines) if isinstance(lines[key], dict)}
        sections = {'DEFAULT': lines, **more}
        file.write_text('\n'.join(f'[{name}]\n' + '\n'.join(f'{key} = {value}' for key, value in body.items())
                                  for name, body in sections.items()))
        process = subprocess.Popen([sys.executable, '-W', 'ignore', '-m', module, '--config-file', str(file)])
        running.append(process)
        return process, port, file

    yield start
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()


def test_one_process_answers_what_has_come_and_ends(launch):
    """SIGTERM: a request that is being served is answered, then the exit code is 0."""
    process, port, _ = launch()
    assert int(eventually(lambda: get(port))) == process.pid
    answers = []
    caller = threading.Thread(target=lambda: answers.append(get(port, '/slow')))
    caller.start()
    threading.Event().wait(0.4)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    caller.join(5)
    assert answers == [str(process.pid)]


def test_workers_share_a_socket_and_come_back(launch):
    process, port, _ = launch(workers=2)
    pids = set()

    def seen(count):
        pids.add(int(get(port)))
        return len(pids) == count and process.poll() is None

    eventually(lambda: seen(2))
    assert process.pid not in pids
    with contextlib.suppress(OSError):
        get(port, '/die')
    eventually(lambda: seen(3))
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_workers_end_with_their_parent(launch):
    """kill -9 of the parent leaves no worker behind."""
    process, port, _ = launch(workers=2)
    worker = int(eventually(lambda: get(port)))
    process.kill()
    process.wait()

    def gone():
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return True
        with open(f'/proc/{worker}/stat', encoding='ascii') as stat:
            return stat.read().split()[2] == 'Z'

    assert eventually(gone)


def test_hangup_reads_the_configuration_again(launch):
    process, port, file = launch(debug='false')
    assert eventually(lambda: get(port, '/debug')) == 'False'
    file.write_text(file.read_text().replace('debug = false', 'debug = true'))
    process.send_signal(signal.SIGHUP)
    assert eventually(lambda: get(port, '/debug') == 'True')
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_page_for_operators(launch, monkeypatch):
    page = free_port()
    monkeypatch.setenv('ECHO_ILL', 'the bus is away')
    process, port, _ = launch(prometheus={'port': page})
    eventually(lambda: get(port))
    assert 'nova_rpc_sent' in get(page, '/metrics')
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(page, '/healthcheck')
    assert caught.value.code == 503 and 'the bus is away' in caught.value.read().decode()
    caught.value.close()


def test_bad_configuration_is_said_plainly(tmp_path):
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-m', 'nova.cmd.compute',
         '--config-file', str(tmp_path / 'none.conf')],
        capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert 'none.conf' in done.stderr and 'Traceback' not in done.stderr


def test_health_page_without_a_process():
    page = metrics.Page(0, {'bus': lambda: None}).start()
    assert '"ok"' in get(page.port, '/healthcheck')
    with pytest.raises(urllib.error.HTTPError):
        get(page.port, '/elsewhere')
    page.stop()
