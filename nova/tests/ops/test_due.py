"""What is begun when its time has come goes by one clock: that of the cell's database."""

import datetime
import types

import pytest

from nova import objects
from nova.common import clock, dbkit
from nova.ops import rescue
from nova.ops.delete import flow as delete
from nova.ops.delete import reclaim
from nova.ops.shelve import offload_due
from nova.steps import shelving
from nova.task import journal

CASES = {
    'soft-delete': (lambda h: delete.mark_reclaimable(h, objects.State()), reclaim.begin_due),
    'shelved': (lambda h: shelving.note(h, None), offload_due.begin_due),
    'rescued': (lambda h: rescue.note_rescued(h, rescue.RescueState()), rescue.begin_due),
}


@pytest.mark.parametrize('hours', [6, -6])
@pytest.mark.parametrize('vm_state', CASES)
def test_the_machine_s_clock_decides_nothing(cloud, vm_state, hours):
    class Skewed(dbkit.ServerClock):
        def known(self):
            return clock.utcnow() + datetime.timedelta(hours=hours)
    mark, begin_due = CASES[vm_state]
    db = dbkit.Database(str(cloud.db(1).engine.url), server_clock=Skewed('sqlite'))
    uuid = cloud.server(host='host1', vm_state=vm_state).uuid
    with db.read() as conn:
        server = objects.Instance.get(conn, uuid=uuid)
    mark(types.SimpleNamespace(db=db, instance=server))
    db.write(server.copy().save)
    tasks = journal.Journal(db)
    assert begin_due(tasks, 300) == []
    assert [task.instance_uuid for task in begin_due(tasks, -2)] == [uuid]
    db.dispose()
