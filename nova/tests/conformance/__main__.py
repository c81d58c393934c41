"""``tools/conformance [URL]``: walks a running Compute API against the facts, or one that it starts itself."""

import argparse
import contextlib
import os
import pathlib
import sys
import tempfile
from collections.abc import Iterator

from nova.common import threads

threads.choose('threading')

from nova.standalone import app, config  # noqa: E402
from nova.tests.conformance import facts, people, report, walk  # noqa: E402
from nova.tests.conformance.world import World  # noqa: E402


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        'conformance', description='Walks a Compute API against what it should be. Without an address it '
        'starts a standalone cloud.')
    made.add_argument('url', nargs='?', help="Keystone's, up to /v3; OS_USERNAME (admin), OS_PASSWORD and "
                      'OS_PROJECT_NAME (admin) say who may make projects and users there')
    made.add_argument('--newest', action='store_true', help='only the newest microversion of each route')
    made.add_argument('--route', action='append', default=[],
                      help='only routes with this in their name; repeatable')
    made.add_argument('--quiet', action='store_true', help='only the report')
    return made


@contextlib.contextmanager
def cloud(arguments: argparse.Namespace) -> Iterator[people.People]:
    """Everybody who asks."""
    with contextlib.ExitStack() as stack:
        if arguments.url:
            said = os.environ
            who = people.People(arguments.url, said.get('OS_USERNAME', 'admin'), said['OS_PASSWORD'],
                                said.get('OS_PROJECT_NAME', 'admin'))
        else:
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix='nova-conformance-'))
            started = app.Cloud(config.load(pathlib.Path(directory), 2, 4, dict.fromkeys(config.PORTS, 0)))
            stack.callback(started.stop)
            started.start()
            who = people.People(started.deployment.url('identity') + '/v3', 'admin',
                                started.deployment.passwords['admin'])
        stack.callback(who.close)
        yield who


def main() -> int:
    arguments = parser().parse_args()
    chosen = [route for route in facts.load().routes
              if not arguments.route or any(word in route.name for word in arguments.route)]
    with cloud(arguments) as who:
        world = World(who)
        try:
            verdicts = walk.Walk(world, arguments.newest).routes(
                chosen, (lambda one: None) if arguments.quiet else lambda one: print(
                    f'{one.state:8} {one.route.name}', flush=True))
        finally:
            world.close()
    known = facts.missing()
    print(report.page(verdicts, known))
    wrong = any(one.state == walk.WRONG for one in verdicts)
    return 1 if wrong or report.dishonest(verdicts, known) else 0


if __name__ == '__main__':
    sys.exit(main())
