"""Pages of a list that changes while it is read: nothing is seen twice, and nothing that stays is missed.

hypothesis draws what happens before each question of which the pages are made: a server is ordered, its row
comes into a cell, the cell gets it, it moves to another host or is deleted, a cell goes away or comes back.
"""

import functools
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nova import errors, objects
from nova.listing.servers import list_servers
from nova.tests.fixtures.deployed import Servers

MOST = 100
"""Pages of a walk; one that does not end fails."""


class Changing:
    """Two cells in which the next change happens whenever the list asks its cells for something.

    Attributes:
        throughout: uuids of servers that were there from the beginning and still are, and whose cell never was
            away.
        never: uuids of those that were taken back before their cell got them; their rows are swept later.
    """

    PLACES = ('ordered', 'inserted', 'taken back', 'cell1', 'cell2')
    CHANGES = ('order', 'insert', 'hand_over', 'move', 'delete', 'go_away', 'come_back')

    def __init__(self, cloud, flavor, monkeypatch, project):
        self._cloud, self._servers, self._project = cloud, Servers(cloud, flavor), project
        self._ask, self._changes = cloud.databases.ask, iter(())
        self._ordered, self._inserted, self._living, self._away = [], [], [], set()
        self.throughout, self.never = set(), set()
        monkeypatch.setattr(cloud.databases, 'ask', self.ask)

    def fill(self, places):
        """Servers at these places, of these minutes."""
        for place, minute in places:
            if place in ('cell1', 'cell2'):
                number = int(place[-1])
                server = self._servers.in_cell(number, minute=minute, project_id=self._project)
                self._living.append((server, self._cloud.cells[number - 1]))
                continue
            self.order(minute)
            if place != 'ordered':
                self.insert(minute)
            if place == 'taken back':
                server, _ = self._inserted.pop()
                self._cloud.api.write(functools.partial(objects.BuildRequest.take, instance_uuid=server.uuid))
                self.never.add(server.uuid)
        self.throughout = {server.uuid for server in self._ordered} | {
            server.uuid for server, _ in self._inserted + self._living}

    def begin(self, changes):
        self._changes = iter(changes)

    def ask(self, questions, *rest):
        """As `Databases.ask`, where cells that are away do not answer."""
        self.next()
        answers = self._ask({uuid: one for uuid, one in questions.items() if uuid not in self._away}, *rest)
        answers.down.update((uuid, 'away') for uuid in questions if uuid in self._away)
        return answers

    def next(self):
        for what, number in itertools.islice(self._changes, 1):
            getattr(self, what)(number)

    def order(self, number):
        self._ordered.append(self._servers.in_request(minute=number, project_id=self._project))

    def insert(self, number):
        """Its row is in a cell; until that gets it, the build request is what counts."""
        cell = self._cloud.cells[number % 2]
        if self._ordered and cell.uuid not in self._away:
            server = self._ordered.pop(number % len(self._ordered))
            self._cloud.db(cell).write(server.copy().create)
            self._inserted.append((server, cell))

    def hand_over(self, number):
        if not self._inserted:
            return
        server, cell = self._inserted.pop(number % len(self._inserted))

        def write(conn):
            objects.BuildRequest.take(conn, server.uuid)
            objects.InstanceMapping.hand_over(conn, server.uuid, cell.id)
        self._cloud.api.write(write)
        self._living.append((server, cell))
        if cell.uuid in self._away:
            self.throughout.discard(server.uuid)

    def move(self, number):
        server, cell = self._one(number)
        if server is not None:
            def write(conn):
                stored = objects.Instance.get(conn, uuid=server.uuid)
                stored.host, stored.task_state = f'h{number}', 'resize_migrating'
                stored.save(conn)
            self._cloud.db(cell).write(write)

    def delete(self, number):
        server, cell = self._one(number)
        if server is not None:
            self._cloud.db(cell).write(lambda conn: objects.Instance.get(conn, uuid=server.uuid).destroy(conn))
            self._living.remove((server, cell))
            self.throughout.discard(server.uuid)

    def _one(self, number):
        """A living server of a cell that is there, and the cell."""
        there = [one for one in self._living if one[1].uuid not in self._away]
        return there[number % len(there)] if there else (None, None)

    def go_away(self, number):
        cell = self._cloud.cells[number % 2]
        self._away.add(cell.uuid)
        self.throughout -= {server.uuid for server, at in self._living if at.uuid == cell.uuid}

    def come_back(self, number):
        self._away.discard(self._cloud.cells[number % 2].uuid)

    def all_back(self):
        self._away.clear()


ORDERS = [[('created_at', 'desc')], [('created_at', 'asc')], [('display_name', 'asc')], [('uuid', 'desc')]]
minutes = st.integers(0, 7)


@pytest.fixture
def projects():
    """A project of its own for each draw, so that they share the databases."""
    return (f'project-{number}' for number in itertools.count())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.tuples(st.sampled_from(Changing.PLACES), minutes), max_size=12),
       changes=st.lists(st.tuples(st.sampled_from(Changing.CHANGES), minutes), max_size=30),
       sort=st.sampled_from(ORDERS), limit=st.integers(1, 4))
def test_pages_are_what_was_there_throughout(cloud, flavor, projects, places, changes, sort, limit):
    """LST-S1, LST-S2, LST-S3, LST-F1, CEL-S1, invariant 8."""
    project, seen, marker = next(projects), [], None
    with pytest.MonkeyPatch.context() as patch:
        changing = Changing(cloud, flavor, patch, project)
        changing.fill(places)
        changing.begin(changes)
        for _ in range(MOST):
            changing.next()
            try:
                page = list_servers(
                    cloud.databases, cloud.conf, {'project_id': project}, sort, limit, marker).rows
            except errors.host.CellDown:  # that of the marker: whoever reads on has to wait for it
                changing.all_back()
                continue
            if not page:
                break
            seen += page
            marker = page[-1].uuid
        else:
            pytest.fail('The walk did not end')
    found = [server.uuid for server in seen]
    assert len(found) == len(set(found)), 'none twice'
    assert changing.throughout <= set(found), 'none is missed'
    key, direction = sort[0]
    assert not changing.never & set(found)
    ranks = [(getattr(server, key), server.uuid) for server in seen]
    assert ranks == sorted(ranks, reverse=direction == 'desc')


def test_a_cell_that_goes_away_while_a_page_is_read_leaves_the_build_request(cloud, flavor, monkeypatch):
    """LST-S3, LST-F1: its row is in the cell, which then does not tell what the server is."""
    changing = Changing(cloud, flavor, monkeypatch, 'p')
    changing.fill([('ordered', 0)])
    changing.begin([('insert', 0), ('go_away', 0)])
    page = list_servers(cloud.databases, cloud.conf, {'project_id': 'p'}).rows
    assert {server.uuid for server in page} == changing.throughout
