"""The handles that rooms receive in conductors; see `nova.task.handles` for what each part is for."""

from typing import Any

from oslo_config import cfg

from nova import context as nova_context
from nova.conductor import cells as conductor_cells
from nova.objects import task as rows
from nova.task import engine as engines
from nova.task import fence as fences


class Conductor:
    """Handle of a step of a task in a cell's journal."""

    def __init__(self, run: engines.Run, engine: engines.Engine, conf: cfg.ConfigOpts, clients: Any) -> None:
        self._run, self._engine = run, engine
        self.fence = fences.Fence(run.task, engine.lease, engine.journal.db)
        self.conf, self.clients = conf, self.fence.client(clients)

    @property
    def context(self) -> nova_context.RequestContext:
        return self._run.context

    @property
    def task(self) -> rows.Task:
        return self._run.task

    @property
    def instance(self) -> Any:
        return self._run.instance

    @property
    def db(self) -> fences.Database:
        return self.fence.database(self._engine.journal.db)

    def cancel_holder(self) -> bool:
        return self._engine.cancel_holder(self.task.instance_uuid or '')

    def host_is_up(self, host: str) -> bool:
        return self._engine.hosts.is_up(host)

    def refusals(self) -> list[str]:
        """What hosts said that refused this task, in order."""
        with self.db.read() as conn:
            return [row.detail for row in rows.steps(conn, [self.task.uuid]) if row.status == 'refused']


class SuperConductor(Conductor):
    """Handle of a step that may look into every cell."""

    def __init__(self, run: engines.Run, engine: engines.Engine, conf: cfg.ConfigOpts, clients: Any,
                 cells: 'conductor_cells.Cells', scheduler: Any) -> None:
        super().__init__(run, engine, conf, clients)
        self._cells, self.scheduler = cells, self.fence.client(scheduler)

    @property
    def api_db(self) -> fences.Database:
        return self.fence.database(self._cells.api_db)

    def cells(self) -> list[Any]:
        return self._cells.mappings()

    def cell(self, uuid: str, fresh: bool = False) -> Any:
        return self._cells.mapping(uuid, fresh)

    def cell_db(self, mapping: Any) -> fences.Database:
        return self.fence.database(self._cells.db(mapping))

    def adopt(self, mapping: Any, task_uuid: str) -> None:
        self.fence.check()
        self._cells.work(mapping).engine.adopt(task_uuid)
