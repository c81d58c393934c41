"""The handles that rooms receive in conductors; see `nova.task.handles` for what each part is for."""

from typing import cast

from oslo_config import cfg

from nova import clients as clients_
from nova.conductor import cell_works
from nova.objects import cell_mapping
from nova.objects import instance as instances
from nova.objects import task as rows
from nova.rpc import scheduler as rpc_scheduler
from nova.task import engine as engines
from nova.task import fence as fences
from nova.task import flow as flows


class Conductor:
    """Handle of a step of a task in a cell's journal."""

    def __init__(self, run: engines.Run, engine: engines.Engine, conf: cfg.ConfigOpts,
                 clients: clients_.Clients) -> None:
        self._run, self._engine = run, engine
        self.fence = fences.Fence(run.task, engine.lease, engine.journal.db)
        self.conf, self.clients = conf, self.fence.client(clients)
        self.db = self.fence.database(engine.journal.db)
        self.context, self.task = run.context, run.task
        self.instance = cast(instances.Instance, run.instance)

    def cancel_holder(self) -> bool:
        return self._engine.cancel_holder(self.task.instance_uuid or '', self.instance)

    def host_is_up(self, host: str) -> bool:
        return self._engine.reach.is_up(host)

    def note_doubt(self) -> None:
        self._run.doubt = True

    def refusals(self) -> list[str]:
        """What hosts said that refused this task, in order."""
        with self.db.read() as conn:
            return [row.detail for row in rows.steps(conn, [self.task.uuid]) if row.status == 'refused']


class SuperConductor(Conductor):
    """Handle of a step that may look into every cell."""

    def __init__(self, run: engines.Run, engine: engines.Engine, conf: cfg.ConfigOpts,
                 clients: clients_.Clients, cells: cell_works.CellWorks,
                 scheduler: rpc_scheduler.Scheduler) -> None:
        super().__init__(run, engine, conf, clients)
        self._cells, self.scheduler = cells, self.fence.client(scheduler)
        self.api_db = self.fence.database(cells.api_db)

    def cells(self) -> list[cell_mapping.CellMapping]:
        return self._cells.every()

    def cell(self, uuid: str, fresh: bool = False) -> cell_mapping.CellMapping:
        return self._cells.get(uuid, fresh)

    def cell_db(self, mapping: cell_mapping.CellMapping) -> fences.Database:
        return self.fence.database(self._cells.db(mapping), self._cells.share(mapping).call)

    def fitting(self, flow: type[flows.AnyFlow], mapping: cell_mapping.CellMapping) -> type[flows.AnyFlow]:
        with self._cells.share(mapping).call():
            return self._cells.work(mapping).engine.journal.fitting(flow)

    def adopt(self, mapping: cell_mapping.CellMapping, task_uuid: str) -> None:
        self.fence.check()
        self._cells.work(mapping).engine.adopt(task_uuid)
