"""How far a step is that takes its time: told by its host, journalled with its task, shown by views."""

from nova.objects import base


class Progress(base.Record):
    """How far it is.

    A flow whose clients see more than that declares a record of its own (`nova.task.flow.Flow.Progress`).

    Attributes:
        percent: of the step.
    """

    percent: int = 0


class MigrationProgress(Progress):
    """How much of a running guest has been copied to another host, in bytes.

    Attributes:
        memory_remaining, disk_remaining: still to be copied; it grows when the guest changes what was copied.
    """

    memory_total: int = 0
    memory_processed: int = 0
    memory_remaining: int = 0
    disk_total: int = 0
    disk_processed: int = 0
    disk_remaining: int = 0
