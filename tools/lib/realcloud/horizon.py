"""Horizon from PyPI, unmodified, beside a cloud that tools/realcloud made.

    tools/horizon [--dir DIR]           serve it on loopback until Ctrl-C, and say where
    tools/horizon --try [--dir DIR]     have a browser without a screen use it: log in, launch a server, look at
                                        its log, resize it, make a volume, attach it, and delete both

A picture of every page that was reached is in DIR/horizon/pictures; --try exits with 1 when one is not.
"""

import argparse
import contextlib
import json
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import cluster_config
import servers

from realcloud import __main__ as command
from realcloud import cloud
from realcloud.deployment import REGION, Deployment

VENV = pathlib.Path(__file__).parents[3] / '.venv-horizon'
BROWSER = pathlib.Path(__file__).parent / 'plugins' / 'horizon_browser.py'
SETTINGS = 'cloud_settings'
"""Module that Django takes its settings from: Horizon's own, and what an operator of this cloud sets."""
READY_SECONDS = 300.0

TEXT = """\
from openstack_dashboard.settings import *

ALLOWED_HOSTS = ['127.0.0.1']
SECRET_KEY = {secret!r}
OPENSTACK_KEYSTONE_URL = {identity!r}
OPENSTACK_API_VERSIONS = {{'identity': 3, 'image': 2, 'volume': 3}}
OPENSTACK_KEYSTONE_DEFAULT_DOMAIN = 'Default'
AVAILABLE_REGIONS = [({identity!r}, {region!r})]
# Threads share the cache: django-compressor has one for all of them. A client that is no pool breaks by that.
CACHES = {{'default': {{
    'BACKEND': 'django.core.cache.backends.memcached.PyMemcacheCache', 'LOCATION': {cache!r},
    'OPTIONS': {{'use_pooling': True}}}}}}
STATIC_ROOT = {static!r}
COMPRESS_ROOT = STATIC_ROOT
COMPRESS_OFFLINE = False
DEBUG = True
"""


def write_settings(deployment: Deployment, directory: pathlib.Path) -> None:
    """The settings file, readable by its owner only."""
    cluster_config.write(directory / f'{SETTINGS}.py', TEXT.format(
        secret=secrets.token_urlsafe(32), identity=deployment.url('identity') + '/v3', region=REGION,
        cache=deployment.memcached,
        static=str(directory / 'static')))


def environment(directory: pathlib.Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith('OS_')}
    return kept | {'DJANGO_SETTINGS_MODULE': SETTINGS, 'PYTHONPATH': str(directory), 'PYTHONWARNINGS': 'ignore'}


@contextlib.contextmanager
def serving(directory: pathlib.Path) -> Iterator[str]:
    """Horizon's URL, while it serves."""
    env = environment(directory)
    subprocess.run([VENV / 'bin' / 'django-admin', 'collectstatic', '--noinput', '--verbosity', '0'], env=env,
                   check=True, cwd=directory)
    port = servers.free_ports(1)[0]
    with open(directory / 'horizon.log', 'wb') as log:
        server = subprocess.Popen(
            [VENV / 'bin' / 'python', '-m', 'django', 'runserver', '--noreload', f'127.0.0.1:{port}'],
            env=env, cwd=directory, stdout=log, stderr=subprocess.STDOUT)
    try:
        url = f'http://127.0.0.1:{port}'
        _wait(server, f'{url}/auth/login/', directory / 'horizon.log')
        yield url
    finally:
        server.terminate()
        server.wait()


def _wait(server: subprocess.Popen[bytes], url: str, log: pathlib.Path) -> None:
    end = time.monotonic() + READY_SECONDS
    while server.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=READY_SECONDS) as answer:
            if answer.status == 200:
                return
        time.sleep(0.5)
    raise SystemExit(f'Horizon does not serve {url}:\n' + log.read_text()[-2000:])


def browse(deployment: Deployment, url: str, directory: pathlib.Path) -> int:
    """Have the browser do what it does; its exit code."""
    pictures = directory / 'pictures'
    pictures.mkdir(exist_ok=True)
    facts = {'url': url, 'user': 'demo', 'password': deployment.passwords['demo'], 'pictures': str(pictures)}
    person = subprocess.Popen([VENV / 'bin' / 'python', BROWSER], stdin=subprocess.PIPE, text=True,
                              start_new_session=True)
    try:
        person.communicate(json.dumps(facts))
        return person.returncode
    finally:
        # The browser as well, if this ends before it does.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(person.pid, signal.SIGTERM)


def main() -> int:
    parser = argparse.ArgumentParser(prog='tools/horizon', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--dir', type=pathlib.Path, default=command.DEFAULT, help='the cloud (%(default)s)')
    parser.add_argument('--try', dest='tries', action='store_true', help='have a browser use it')
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    where = arguments.dir.absolute()
    if not cloud.made(where):
        print(command.NONE.format(directory=where), file=sys.stderr)
        return 1
    deployment, directory = Deployment.load(where), where / 'horizon'
    directory.mkdir(exist_ok=True)
    write_settings(deployment, directory)
    with serving(directory) as url, contextlib.suppress(KeyboardInterrupt):
        if arguments.tries:
            return browse(deployment, url, directory)
        print(f'{url}; domain Default, user demo, and the password in {where / "clouds.yaml"}', flush=True)
        signal.pause()
    return 0


if __name__ == '__main__':
    sys.exit(main())
