"""Boot a first server with the public client and show it; what `tools/quickstart` runs."""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from nova.common import clock, threads

NAME = 'first'
START_SECONDS = 60.0
"""How long its start may take."""
CONSOLE_SECONDS = 300.0
"""How long a guest may take to say something: QEMU may have to interpret it, on a machine that is busy."""
TALK_SECONDS = 15.0
"""How long it is listened to from then on, if it does not fall silent before."""


class Failed(Exception):
    """A command of the demonstration did not do what it should."""


def openstack(clouds: pathlib.Path, *words: str, quiet: bool = False) -> str:
    """Run the `openstack` client as the user demo, showing the command and, unless `quiet`, what it prints.

    Raises:
        Failed: it ended with another code than 0.
    """
    print('\n$ openstack ' + ' '.join(words), flush=True)
    said = _openstack(clouds, *words)
    if not quiet:
        print(said, flush=True)
    return said


def _openstack(clouds: pathlib.Path, *words: str) -> str:
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ['PATH']])
    client = shutil.which('openstack', path=path)
    if client is None:
        raise Failed('The openstack client is not installed; pip install python-openstackclient.')
    done = subprocess.run([client, *words], capture_output=True, text=True, check=False,
                          env={**os.environ, 'OS_CLIENT_CONFIG_FILE': str(clouds), 'OS_CLOUD': 'demo'})
    if done.returncode != 0:
        raise Failed(f'openstack {" ".join(words)} failed: {done.stderr.strip() or done.stdout.strip()}')
    return done.stdout


def show_first_server(clouds: pathlib.Path, image: str = 'tiny', real: bool = False) -> None:
    """Boot `NAME`, or start it where it is there and off, and show that it is ACTIVE and how it became so.

    Args:
        real: its guest is one, whose console is shown.

    Raises:
        Failed: it is not.
    """
    there = json.loads(openstack(clouds, 'server', 'list', '-f', 'json', quiet=True))
    if NAME not in [server['Name'] for server in there]:
        openstack(clouds, 'server', 'create', '--image', image, '--flavor', 'm1.tiny', '--network', 'private',
                  '--wait', NAME)
    openstack(clouds, 'server', 'list')
    words = ('server', 'show', NAME, '-f', 'json')
    shown = json.loads(openstack(clouds, *words, quiet=True))
    if shown['status'] == 'SHUTOFF':
        openstack(clouds, 'server', 'start', NAME)
        deadline = clock.Deadline(START_SECONDS)
        while shown['status'] == 'SHUTOFF' and not deadline.passed():
            threads.sleep(1.0)
            shown = json.loads(_openstack(clouds, *words))
    if shown['status'] != 'ACTIVE':
        raise Failed(f'The server is {shown["status"]}: {shown.get("fault")}')
    print(f'{NAME} is {shown["status"]} at {shown["addresses"]}', flush=True)
    openstack(clouds, 'server', 'event', 'list', NAME, '--long')
    if real:
        show_console(clouds)


def show_console(clouds: pathlib.Path) -> None:
    """Show what the guest says while it starts: until it says no more, or has talked for `TALK_SECONDS`.

    Raises:
        Failed: it says nothing within `CONSOLE_SECONDS`.
    """
    words = ('console', 'log', 'show', NAME)
    print('\n$ openstack ' + ' '.join(words), flush=True)
    deadline, said = clock.Deadline(CONSOLE_SECONDS), ''
    while not said.strip():
        if deadline.passed():
            raise Failed(f'The guest has said nothing on its console in {CONSOLE_SECONDS:.0f} s.')
        threads.sleep(1.0)
        said = _openstack(clouds, *words)
    deadline, before = clock.Deadline(TALK_SECONDS), ''
    while said != before and not deadline.passed():
        threads.sleep(4.0)
        before, said = said, _openstack(clouds, *words)
    print(said, flush=True)


def main(words: Sequence[str] | None = None) -> int:
    """
    Args:
        words: of the command line; None is that of this process.
    """
    threads.choose()
    from nova.standalone import app, config
    parser = app.parser('A whole cloud in one process, and a first server in it.')
    parser.add_argument('--once', action='store_true', help='stop after the demonstration; without --state-dir '
                        'the cloud is a new one, and is kept only when something failed')
    parser.set_defaults(state_dir=None)
    arguments: argparse.Namespace = parser.parse_args(words)
    passing = arguments.once and arguments.state_dir is None
    if passing:
        arguments.state_dir = pathlib.Path(tempfile.mkdtemp(prefix='nova-quickstart-'))
    arguments.state_dir = arguments.state_dir or config.default_directory()
    image = arguments.image[0].stem if arguments.image else 'tiny'
    code = app.run(arguments, then=lambda cloud: show_first_server(
        cloud.clouds_file, image, cloud.deployment.driver == 'libvirt'), stay=not arguments.once)
    if passing and code == 0:
        shutil.rmtree(arguments.state_dir)
    return code


if __name__ == '__main__':
    sys.exit(main())
