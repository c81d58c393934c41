"""A cloud of the real services on loopback: Keystone, Glance, Neutron and Cinder, with ours beside them.

    tools/realcloud up [--port SERVICE=PORT]...   makes it, or starts what of it does not run
    tools/realcloud up --driver libvirt           the same with a host where guests of QEMU run (needs root)
    tools/realcloud status                        who runs, and who is well
    tools/realcloud env [USER]                    what to tell the clients, for `eval`
    tools/realcloud renew                         our own processes again, with the code and schema of today
    tools/realcloud down                          ends it, and removes its directory

Each takes --dir DIR, where configuration, logs, pids and data are. Ports are free ones unless they are named.
"""

import argparse
import pathlib
import shlex
import shutil
import sys
import tempfile

import cluster
import cluster_config
import servers

from realcloud import cloud
from realcloud.deployment import PORTS

NONE = 'There is no cloud in {directory}; tools/realcloud up --dir {directory} makes one'
DEFAULT = pathlib.Path(tempfile.gettempdir()) / 'nova-realcloud'


def port(text: str) -> tuple[str, int]:
    name, _, number = text.partition('=')
    known = {*PORTS, 'placement', 'api'}
    if name not in known or not number.isdigit():
        raise argparse.ArgumentTypeError(f'{text} is not SERVICE=PORT; services are {", ".join(sorted(known))}')
    return name, int(number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='tools/realcloud', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True)
    for name in ('up', 'status', 'env', 'renew', 'down'):
        command = commands.add_parser(name)
        command.add_argument('--dir', type=pathlib.Path, default=DEFAULT, help='where it lives (%(default)s)')
        if name == 'up':
            command.add_argument('--computes', type=int, help='hosts, over two cells (4; 1 with libvirt)')
            command.add_argument('--driver', choices=['fake', 'libvirt'], default='fake', help='(%(default)s)')
            command.add_argument('--workers', type=int, default=2, help='of API and Placement (%(default)s)')
            command.add_argument('--port', type=port, action='append', default=[], metavar='SERVICE=PORT')
        if name == 'env':
            command.add_argument('user', nargs='?', default='admin', choices=['admin', 'demo'])
    return parser


def _up(arguments: argparse.Namespace, directory: pathlib.Path) -> int:
    if cloud.made(directory):
        started = cloud.Cloud.at(directory).start_missing()
        print('Started ' + ', '.join(started) if started else 'Everything runs')
    else:
        if directory.exists() and not (directory / cluster_config.FACTS).exists():
            print(f'{directory} is there and is no cloud; choose another one by --dir', file=sys.stderr)
            return 1
        # What an attempt that failed has left: nothing of it runs.
        shutil.rmtree(directory, ignore_errors=True)
        cloud.Cloud.up(directory, computes=arguments.computes or {'fake': 4, 'libvirt': 1}[arguments.driver],
                       workers=arguments.workers, options=cloud.OPTIONS, ports=dict(arguments.port),
                       driver=arguments.driver)
    print(f'\n    eval "$(tools/realcloud env --dir {directory})"; openstack server list\n'
          f'    tools/tempest --dir {directory}\n    tools/realcloud down --dir {directory}')
    return 0


def main() -> int:
    arguments = _parser().parse_args()
    directory = arguments.dir.absolute()
    if arguments.command == 'up':
        return _up(arguments, directory)
    if not cloud.made(directory):
        print(NONE.format(directory=directory), file=sys.stderr)
        return 1
    found = cloud.Cloud.at(directory)
    if arguments.command == 'env':
        for name, value in (found.environment() | {'OS_CLOUD': arguments.user}).items():
            print(f'export {name}={shlex.quote(value)}')
        print(f'export PATH={shlex.quote(str(pathlib.Path(sys.executable).parent))}:$PATH')
        return 0
    if arguments.command == 'renew':
        found.renew()
        return 0
    if arguments.command == 'down':
        return cluster.end(found)
    return cluster.show(found)


if __name__ == '__main__':
    servers.run(main)
