"""How many files a change touches: changes are made in a copy of the tree, and work there."""

import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

import nova

ROOT = pathlib.Path(nova.__file__).parent
Edit = Callable[[str], str]


def new(text: str) -> Edit:
    """A file that was not there."""
    def write(before: str) -> str:
        assert not before
        return text
    return write


def after(line: str, more: str) -> Edit:
    """More lines behind one that is there once."""
    def insert(before: str) -> str:
        assert before.count(line) == 1, f'{line!r} is there {before.count(line)} times'
        return before.replace(line, line + more)
    return insert


VERSION = after("    Version('2.104', 'The zone that a server is pinned to can be changed'),\n",
                "    Version('2.105', 'Servers have a nickname and a colour'),\n")

CHANGES: dict[str, tuple[int, dict[str, Edit]]] = {
    'a one-step action': (2, {
        'ops/blink.py': new('''
from nova import objects
from nova.policies import pause as rules
from nova.states import VM
from nova.task.action import Action
from nova.task.flow import Flow, Step
from nova.task.guard import From
from nova.task.handles import Host


def blink(h: Host, state: objects.State) -> None:
    h.driver.pause(h)


def stop_blinking(h: Host, state: objects.State) -> None:
    h.driver.unpause(h)


class Blink(Flow[objects.State]):
    action = 'blink'
    steps = (Step(blink, undo=stop_blinking, at='host'),)


class BlinkAction(Action):
    key = 'blink'
    rule = rules.BLINK
    start = From(VM.ACTIVE)
    flow = Blink
'''),
        'policies/pause.py': after(
            "'Unpause a server.')\n",
            "BLINK = Rule('os_compute_api:os-blink', PROJECT_MEMBER_OR_ADMIN, 'Have a server blink.')\n")}),
    'a field of an answer': (2, {
        'schema/history.py': VERSION,
        'schema/server/core.py': after(
            'class Core(Document):\n',
            "    nickname = Field(types.TEXT, attribute='display_name', **faces.since('2.105'))\n")}),
    'a field that is updated': (2, {
        'schema/history.py': VERSION,
        'schema/server/image_flavor.py': after(
            'class ImageFlavor(Document):\n',
            "    colour = Field(types.TEXT, attribute='root_device_name', update='2.105',\n"
            "                   **faces.since('2.105'))\n")}),
    'a column': (3, {
        'db/cell/models/host.py': after("    sa.Column('heard_since', types.time()),\n",
                                        "    sa.Column('rack', types.string(255)),\n"),
        'db/cell/migrations/expand/ce0999_rack.py': new('''
import sqlalchemy as sa
from alembic import op

from nova.db import types

revision = 'ce0999'
down_revision = 'HEAD'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('services', sa.Column('rack', types.string(255)))
'''),
        'objects/service.py': after("    heard_since: datetime.datetime | None = fields.since('1.2', None)\n",
                                    "    rack: str | None = fields.since('1.3', None)\n")}),
    'a filter of hosts': (1, {
        'scheduler/filters/odd_filter.py': new('''
from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted


class OddFilter(BaseHostFilter):

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        return bool(host_state.num_instances % 2)
''')}),
    'a notification': (1, {
        'domain/notifications/events.py': after("    'pause': Event('instance.pause'),\n",
                                                "    'blink': Event('instance.blink'),\n")}),
}


@pytest.fixture(scope='module')
def changed(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A directory with a copy of the package in which every change has been made."""
    directory = tmp_path_factory.mktemp('places')
    copy = directory / 'nova'
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns('__pycache__', 'real', 'simulation', 'recorded'))
    heads = sorted(path.name.partition('_')[0] for path in (ROOT / 'db/cell/migrations/expand').glob('ce*.py'))
    done = set()
    for _, edits in CHANGES.values():
        for name, edit in edits.items():
            file = copy / name
            if (name, edit) not in done:
                file.write_text(edit(file.read_text() if file.exists() else '').replace('HEAD', heads[-1]))
            done.add((name, edit))
    return directory


@pytest.mark.parametrize('change', CHANGES)
def test_no_change_touches_more_files(change):
    most, edits = CHANGES[change]
    assert len(edits) <= most


def test_the_changes_work(changed):
    """Nothing else had to be touched: a cloud of the changed tree serves, tells, keeps and judges."""
    databases = changed / 'databases'
    databases.mkdir()
    script = changed / 'nova' / 'tests' / 'fixtures' / 'changed_tree.py'
    run = subprocess.run(
        [sys.executable, '-W', 'ignore', str(script), str(databases)], cwd=changed,
        env={**os.environ, 'PYTHONPATH': str(changed)}, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
