"""tempest against a real cloud.

    tools/tempest [REGEX] [--dir DIR]     tests whose id contains REGEX (all of tempest.api.compute)
    tools/tempest --quick                 those that CI has time for
    tools/tempest --quick --since REV     first those about files that changed since this revision of git
    tools/tempest --scenarios             those of tempest.scenario that concern compute
    tools/tempest --all                   every one, those that the list skips too, and nothing is an error

Results are compared with tools/lib/realcloud/expected.yaml, which says what is skipped and what is known to
fail, each with its reason. A test that fails and is not on that list, or passes and is, makes the exit code 1.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from realcloud import __main__ as command
from realcloud import cloud, expectations, population, tempest_conf
from realcloud.deployment import Deployment

VENV = pathlib.Path(__file__).parents[3] / '.venv-tempest'
RESULTS = pathlib.Path(__file__).parent / 'plugins' / 'tempest_results.py'
COMPUTE = r'^tempest\.api\.compute'


def changed_files(since: str) -> list[str]:
    """Files of this checkout that are not as they were at a revision."""
    said = subprocess.run(['git', 'diff', '--name-only', since, '--'], cwd=VENV.parent, capture_output=True,
                          text=True, check=True).stdout
    return said.splitlines()


def _asked(arguments: argparse.Namespace, known: expectations.Expectations) -> list[str]:
    """Regular expressions: the tests of the first one run first, and those that several match run once."""
    if not arguments.quick:
        return ['|'.join(known.scenarios) if arguments.scenarios else str(arguments.regex)]
    first = known.about(changed_files(arguments.since)) if arguments.since else []
    return ['|'.join(tests) for tests in (first, known.quick) if tests]


def rounds(asked: list[str], tests: list[str], known: expectations.Expectations
           ) -> Iterator[tuple[list[str], str]]:
    """What is run one after the other, each test once: tests, and what has to be so meanwhile (`MEANWHILE`)."""
    left = list(tests)
    for pattern in asked:
        chosen = [test for test in left if re.search(pattern, test)]
        left = [test for test in left if test not in chosen]
        for one in ('', *MEANWHILE):
            if found := [test for test in chosen if known.apart(test) == one]:
                yield found, one


@contextlib.contextmanager
def _hosts_of_one_cell(deployment: Deployment) -> Iterator[None]:
    """Meanwhile those of other cells get no servers."""
    compute = population.connect(deployment).compute
    first = next(iter(deployment.hosts.values()))
    others = [service for service in compute.services(binary='nova-compute')
              if service.status == 'enabled' and deployment.hosts[service.host] != first]
    for service in others:
        compute.disable_service(service, disabled_reason='tools/tempest')
    try:
        yield
    finally:
        for service in others:
            compute.enable_service(service)


@contextlib.contextmanager
def _no_shared_network(deployment: Deployment) -> Iterator[None]:
    """Meanwhile a project has the networks that are its own."""
    network = population.connect(deployment).network
    shared = [one for one in network.networks(is_shared=True) if not one.is_router_external]
    for one in shared:
        network.update_network(one, is_shared=False)
    try:
        yield
    finally:
        for one in shared:
            network.update_network(one, is_shared=True)


MEANWHILE: dict[str, Callable[[Deployment], contextlib.AbstractContextManager[None]]] = {
    'one_cell': _hosts_of_one_cell, 'no_shared_network': _no_shared_network}


def environment(configuration: pathlib.Path) -> dict[str, str]:
    """What tempest finds in its environment; its results are kept beside its configuration."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith('OS_') and name != 'PYTHONPATH'}
    return kept | {
        'TEMPEST_CONFIG_DIR': str(configuration.parent), 'TEMPEST_CONFIG': configuration.name,
        'HOME': str(configuration.parent), 'PYTHONWARNINGS': 'ignore',
        'PATH': f'{VENV / "bin"}:{os.environ["PATH"]}'}


def stestr(*words: str) -> list[str]:
    """A command of stestr over tempest's tests, which keeps classes together."""
    [discover] = VENV.glob('lib/python3*/site-packages/tempest/test_discover')
    return [str(VENV / 'bin' / 'stestr'), '--test-path', str(discover), '--top-dir', str(discover.parents[1]),
            '--group_regex', r'([^\.]*\.)*', *words]


def _make_repository(configuration: pathlib.Path) -> None:
    """Where stestr keeps results, unless it is there."""
    directory = configuration.parent
    (directory / '.stestr.conf').touch()
    if not (directory / '.stestr').exists():
        subprocess.run(stestr('init'), check=True, cwd=directory, env=environment(configuration))


def listed(configuration: pathlib.Path, asked: list[str]) -> list[str]:
    """Ids of the tests that are asked for."""
    said = subprocess.run(stestr('list', '|'.join(asked)), capture_output=True, text=True, check=True,
                          cwd=configuration.parent, env=environment(configuration)).stdout
    return [line for line in said.splitlines() if line.startswith('tempest.')]


def run(directory: pathlib.Path, configuration: pathlib.Path, tests: list[str], concurrency: int
        ) -> Iterator[expectations.Result]:
    """Results as they come; the subunit stream is kept by stestr in `directory`."""
    env = environment(configuration)
    (directory / 'tests').write_text('\n'.join(tests) + '\n')
    words = stestr('run', '--subunit', '--concurrency', str(concurrency), '--load-list', 'tests')
    with open(directory / 'stestr.err', 'wb') as errors:
        runner = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, cwd=directory, env=env,
                                  start_new_session=True)
        lines = subprocess.Popen([VENV / 'bin' / 'python', RESULTS], stdin=runner.stdout,
                                 stdout=subprocess.PIPE, text=True, cwd=directory, env=env)
        try:
            for line in lines.stdout or ():
                yield expectations.Result(**json.loads(line))
        finally:
            # Its workers as well, if this ends before they do.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(runner.pid, signal.SIGTERM)
            for process in (lines, runner):
                process.terminate()
                process.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='tools/tempest', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('regex', nargs='?', default=COMPUTE, metavar='REGEX')
    parser.add_argument('--dir', type=pathlib.Path, default=command.DEFAULT, help='the cloud (%(default)s)')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--since', metavar='REV')
    parser.add_argument('--scenarios', action='store_true')
    parser.add_argument('--all', action='store_true')
    parser.add_argument('--concurrency', type=int, default=2, help='workers (%(default)s)')
    return parser


def main() -> int:
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    where = arguments.dir.absolute()
    if not cloud.made(where):
        print(command.NONE.format(directory=where), file=sys.stderr)
        return 1
    known, directory = expectations.Expectations.load(), where / 'tempest'
    asked = _asked(arguments, known)
    directory.mkdir(exist_ok=True)
    began, deployment = time.monotonic(), Deployment.load(where)
    configuration = tempest_conf.write(deployment, directory)
    _make_repository(configuration)
    results: list[expectations.Result] = []
    tests = listed(configuration, asked)
    left_out = [] if arguments.all else [test for test in tests if known.skip.reason(test)]
    for chosen, meanwhile in rounds(asked, [test for test in tests if test not in left_out], known):
        with MEANWHILE[meanwhile](deployment) if meanwhile else contextlib.nullcontext():
            for result in run(directory, configuration, chosen, arguments.concurrency):
                results.append(result)
                word = {'success': 'ok', 'skip': 'skipped'}.get(result.status, 'FAILED')
                print(f'{len(results):4} {time.monotonic() - began:5.0f} s  {word:8} {result.name}', flush=True)
    summary = expectations.Summary(known, results, tuple(left_out))
    with open(directory / 'results.json', 'w') as stream:
        json.dump([vars(result) for result in results], stream, indent=1)
    print('', *summary.lines(), sep='\n')
    print(f'{time.monotonic() - began:.0f} s; what was said is in {directory / "results.json"}')
    if not tests:
        print('There is no such test', file=sys.stderr)
    elif not results:
        print(f'No test was run; {directory / "stestr.err"} says why:\n'
              + (directory / 'stestr.err').read_text()[-2000:], file=sys.stderr)
    return 0 if arguments.all or summary.good else 1


if __name__ == '__main__':
    sys.exit(main())
