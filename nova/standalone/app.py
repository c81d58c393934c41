"""nova-standalone: starts everything, in the order in which it leans on one another, and stops it in reverse.

Nothing listens beyond loopback. The state directory is all that a cloud is; it starts again with its servers.
"""

import argparse
import logging
import os
import pathlib
import signal
import sys
from collections.abc import Callable, Sequence

from nova.common import clock, package, threads
from nova.standalone import config

LOG = logging.getLogger(__name__)

READY_SECONDS = 60.0


class Cloud:
    """A running standalone cloud."""

    def __init__(self, deployment: config.Deployment, say: Callable[[str], object] = print,
                 images: Sequence[pathlib.Path] = ()) -> None:
        self.deployment, self._say, self._images = deployment, say, images
        self._stops: list[tuple[str, Callable[[], object]]] = []

    @property
    def clouds_file(self) -> pathlib.Path:
        return self.deployment.directory / 'clouds.yaml'

    def start(self) -> None:
        """Start every service and return when servers can be booted."""
        from nova.standalone import services
        began = clock.monotonic()
        files = config.write_files(self.deployment)
        for what, begin in services.plan(self.deployment, files, self._images):
            LOG.info('Starting %s', what)
            stop = begin()
            if stop is not None:
                self._stops.append((what, stop))
        services.wait_ready(self.deployment, files, READY_SECONDS)
        self._say(f'{len(self.deployment.cells)} cells and {len(self.deployment.hosts)} compute hosts are up '
                  f'after {clock.monotonic() - began:.1f} s')

    def stop(self) -> None:
        """Stop what was started, last first; what one service raises does not keep the others running."""
        while self._stops:
            what, stop = self._stops.pop()
            LOG.info('Stopping %s', what)
            try:
                stop()
            except Exception:
                # Services raise what they like; the others have to be stopped all the same.
                LOG.exception('%s did not stop cleanly', what)

    def hint(self) -> str:
        """What to type next."""
        image = self._images[0].stem if self._images else 'tiny'
        return (f'\nThe cloud listens on loopback; its state is in {self.deployment.directory}\n'
                f'The Compute API is at {self.deployment.url("compute")}/v2.1, described at '
                f'{self.deployment.url("compute")}/docs\n\n'
                f'    export OS_CLIENT_CONFIG_FILE={self.clouds_file}\n'
                '    export OS_CLOUD=demo          # or admin\n'
                '    openstack server list\n'
                f'    openstack server create --image {image} --flavor m1.tiny --network private another\n')


def parser(description: str) -> argparse.ArgumentParser:
    """The options of nova-standalone."""
    found = argparse.ArgumentParser(description=description)
    found.add_argument('--version', action='version', version=package.version())
    found.add_argument('--cells', type=_count, help='cells; 2 in a new cloud, may grow later')
    found.add_argument('--computes', type=_count,
                       help='simulated compute hosts; 4 in a new cloud, may grow later')
    found.add_argument('--driver', choices=('fake', 'libvirt'),
                       help='simulated guests (the default), or real ones of QEMU')
    found.add_argument('--libvirt-uri', help='with --driver libvirt: where guests run (default: qemu:///system)')
    found.add_argument('--image', type=pathlib.Path, action='append', default=[], metavar='FILE',
                       help='a qcow2 or raw file that becomes a public image of its name')
    found.add_argument('--state-dir', type=pathlib.Path, default=config.default_directory(),
                       help=f'where the cloud lives (default: {config.default_directory()})')
    found.add_argument('--debug', action='store_true', help='log in detail')
    return found


def _count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError('a number from 1 to 1000')
    return value


def _log_to(directory: pathlib.Path, debug: bool) -> None:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    logging.basicConfig(filename=directory / 'standalone.log', level=logging.DEBUG if debug else logging.INFO,
                        format='%(asctime)s %(levelname)s %(name)s [%(threadName)s] %(message)s')
    for noisy in ('urllib3', 'keystoneauth', 'stevedore', 'oslo.messaging', 'oslo_db', 'keystonemiddleware',
                  'dogpile', 'openstack', 'alembic'):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # One process needs no cache that processes share.
    logging.getLogger('keystonemiddleware.auth_token').addFilter(
        lambda record: 'in-process token cache' not in record.getMessage())


def run(arguments: argparse.Namespace, then: Callable[[Cloud], object] | None = None, stay: bool = True) -> int:
    """Start a cloud, do `then`, and keep it running until Ctrl-C or SIGTERM.

    Returns:
        The exit code: 0, or 1 when something failed; the reason is printed.
    """
    _log_to(arguments.state_dir, arguments.debug)
    ended = threads.event()

    def end(number: int, frame: object) -> None:
        """Asked twice, nothing is waited for: a cloud that was killed starts again as well as any."""
        if ended.is_set():
            os._exit(128 + number)
        ended.set()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        claimed = config.claim(arguments.state_dir.absolute())
        cloud = Cloud(config.load(arguments.state_dir.absolute(), arguments.cells, arguments.computes,
                                  driver=arguments.driver, libvirt_uri=arguments.libvirt_uri),
                      images=arguments.image)
    except config.Refused as error:
        print(error, file=sys.stderr)
        return 1
    with claimed:
        return _serve(cloud, arguments, then, stay, ended)


def _serve(cloud: Cloud, arguments: argparse.Namespace, then: Callable[[Cloud], object] | None, stay: bool,
           ended: threads.Event) -> int:
    code = 0
    try:
        cloud.start()
        if then is not None:
            then(cloud)
        if stay:
            print(cloud.hint() + '\nCtrl-C stops it.', flush=True)
            ended.wait()
    except Exception as error:
        LOG.exception('Standalone failed')
        print(f'{error}\nThe log is {arguments.state_dir / "standalone.log"}', file=sys.stderr)
        code = 1
    finally:
        if stay:
            print('Stopping (Ctrl-C again: at once)', flush=True)
        cloud.stop()
    return code


def main() -> int:
    threads.choose()
    return run(parser('A whole cloud in one process.').parse_args())


if __name__ == '__main__':
    sys.exit(main())
