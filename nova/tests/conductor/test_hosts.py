"""What hosts say to their conductor."""

import pytest

from nova import context, objects
from nova.common import dbkit
from nova.conductor import hosts
from nova.db.cell.models import cell_metadata

CONTEXT = context.admin()


class Reach:
    """Keeps what hosts are told."""

    def __init__(self):
        self.told = []

    def set_status(self, context, host, status):
        self.told.append((host, status.disabled))


class Nothing:
    """An engine without steps, and what looks at who lives."""

    def open_steps(self, host):
        return []

    def forget(self):
        """Nothing is kept."""


@pytest.fixture
def db(tmp_path):
    found = dbkit.Database(f'sqlite:///{tmp_path}/cell.sqlite')
    cell_metadata.create_all(found.engine)
    yield found
    found.dispose()


def report(disabled):
    return objects.HostReport(host='h', binary='nova-compute', version=1, disabled=disabled)


def test_a_host_learns_whether_it_is_disabled(db):
    """At its start; and by its heartbeat when a message was lost, once it says otherwise."""
    reach = Reach()
    verbs = hosts.Hosts(db, Nothing(), Nothing(), reach)
    assert verbs.host_up(CONTEXT, report(None)).disabled is False
    verbs.beat(CONTEXT, report(False))
    assert reach.told == []

    def disable(conn):
        service = objects.Service.get(conn, host='h')
        service.disabled = True
        service.save(conn)
    db.write(disable)
    verbs.beat(CONTEXT, report(False))
    assert reach.told == [('h', True)]
    with db.counting() as statements:
        verbs.beat(CONTEXT, report(True))
    assert reach.told == [('h', True)]
    assert [text.split()[0] for text in statements if 'services' in text] == ['UPDATE']
    assert verbs.host_up(CONTEXT, report(None)).disabled is True
