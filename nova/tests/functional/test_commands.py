"""Commands of `openstack` that the compute service answers: a list that anybody can lengthen; on demand."""

import contextlib
import pathlib
import shlex

import pytest

from nova.tests.fixtures import osc
from nova.tests.functional.conftest import User, standalone

COMMANDS = pathlib.Path(__file__).with_name('commands.txt')


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_command_ends_well(tmp_path_factory, supply):
    failed = []
    with contextlib.ExitStack() as stack:
        cloud = stack.enter_context(standalone('sqlite', tmp_path_factory, supply))
        typed = {name: stack.enter_context(contextlib.closing(osc.Client(cloud.clouds_file, name)))
                 for name in ('demo', 'admin')}
        demo = User(cloud, 'demo')
        for line in COMMANDS.read_text().splitlines():
            words = shlex.split(line, comments=not line.startswith('# until'))
            if words[:2] == ['#', 'until']:
                server, = demo.get(f'/servers?name={words[2]}')['servers']
                demo.wait(server['id'], words[3], 120)
            elif words:
                code, out, err = typed[words[0]](words[1:])
                if code:
                    failed.append((line, out[-300:], err[-300:]))
    assert not failed, failed
