"""What a server can be in, as constants, and the one word that users see for it.

vm_state is what the server is, task_state what is being done to it, power_state what the hypervisor says.
"""

import enum


class VM(enum.StrEnum):
    ACTIVE = 'active'
    BUILDING = 'building'
    PAUSED = 'paused'
    SUSPENDED = 'suspended'
    STOPPED = 'stopped'
    RESCUED = 'rescued'
    RESIZED = 'resized'
    SOFT_DELETED = 'soft-delete'
    DELETED = 'deleted'
    ERROR = 'error'
    SHELVED = 'shelved'
    SHELVED_OFFLOADED = 'shelved_offloaded'


class Task(enum.StrEnum):
    SCHEDULING = 'scheduling'
    BLOCK_DEVICE_MAPPING = 'block_device_mapping'
    NETWORKING = 'networking'
    SPAWNING = 'spawning'
    IMAGE_SNAPSHOT = 'image_snapshot'
    IMAGE_SNAPSHOT_PENDING = 'image_snapshot_pending'
    IMAGE_PENDING_UPLOAD = 'image_pending_upload'
    IMAGE_UPLOADING = 'image_uploading'
    IMAGE_BACKUP = 'image_backup'
    UPDATING_PASSWORD = 'updating_password'
    RESIZE_PREP = 'resize_prep'
    RESIZE_MIGRATING = 'resize_migrating'
    RESIZE_MIGRATED = 'resize_migrated'
    RESIZE_FINISH = 'resize_finish'
    RESIZE_REVERTING = 'resize_reverting'
    RESIZE_CONFIRMING = 'resize_confirming'
    REBOOTING = 'rebooting'
    REBOOT_PENDING = 'reboot_pending'
    REBOOT_STARTED = 'reboot_started'
    REBOOTING_HARD = 'rebooting_hard'
    REBOOT_PENDING_HARD = 'reboot_pending_hard'
    REBOOT_STARTED_HARD = 'reboot_started_hard'
    POWERING_OFF = 'powering-off'
    POWERING_ON = 'powering-on'
    PAUSING = 'pausing'
    UNPAUSING = 'unpausing'
    SUSPENDING = 'suspending'
    RESUMING = 'resuming'
    RESCUING = 'rescuing'
    UNRESCUING = 'unrescuing'
    REBUILDING = 'rebuilding'
    REBUILD_BLOCK_DEVICE_MAPPING = 'rebuild_block_device_mapping'
    REBUILD_SPAWNING = 'rebuild_spawning'
    MIGRATING = 'migrating'
    DELETING = 'deleting'
    SOFT_DELETING = 'soft-deleting'
    RESTORING = 'restoring'
    SHELVING = 'shelving'
    SHELVING_IMAGE_PENDING_UPLOAD = 'shelving_image_pending_upload'
    SHELVING_IMAGE_UPLOADING = 'shelving_image_uploading'
    SHELVING_OFFLOADING = 'shelving_offloading'
    UNSHELVING = 'unshelving'


ENDING = (Task.DELETING, Task.SOFT_DELETING)
"""What a server shows while it is being deleted."""


class Signal(enum.StrEnum):
    """What an operation can be told while it is going on.

    ABORT ends it, as if it had never been asked for, as long as it can be undone; the others are for the step
    that runs, if it hears them (`nova.task.flow.Step.signals`).
    """

    ABORT = 'abort'
    FORCE_COMPLETE = 'force_complete'
    POST_COPY = 'post_copy'


class Power(enum.IntEnum):
    """2 and 5 were hypervisor states that nothing reports any more."""

    NOSTATE = 0
    RUNNING = 1
    PAUSED = 3
    SHUTDOWN = 4
    CRASHED = 6
    SUSPENDED = 7


_REBUILD: dict[Task | None, str] = dict.fromkeys(
    (Task.REBUILDING, Task.REBUILD_BLOCK_DEVICE_MAPPING, Task.REBUILD_SPAWNING), 'REBUILD')
_RESIZE: dict[Task | None, str] = dict.fromkeys(
    (Task.RESIZE_PREP, Task.RESIZE_MIGRATING, Task.RESIZE_MIGRATED, Task.RESIZE_FINISH), 'RESIZE')

_STATUS: dict[VM, tuple[str, dict[Task | None, str]]] = {
    VM.ACTIVE: ('ACTIVE', {
        Task.REBOOTING: 'REBOOT', Task.REBOOT_PENDING: 'REBOOT', Task.REBOOT_STARTED: 'REBOOT',
        Task.REBOOTING_HARD: 'HARD_REBOOT', Task.REBOOT_PENDING_HARD: 'HARD_REBOOT',
        Task.REBOOT_STARTED_HARD: 'HARD_REBOOT', Task.UPDATING_PASSWORD: 'PASSWORD',
        Task.MIGRATING: 'MIGRATING', **_REBUILD, **_RESIZE}),
    VM.BUILDING: ('BUILD', {}),
    VM.STOPPED: ('SHUTOFF', {**_RESIZE, **_REBUILD}),
    VM.RESIZED: ('VERIFY_RESIZE', {Task.RESIZE_REVERTING: 'REVERT_RESIZE'}),
    VM.PAUSED: ('PAUSED', {Task.MIGRATING: 'MIGRATING'}),
    VM.SUSPENDED: ('SUSPENDED', {}),
    VM.RESCUED: ('RESCUE', {}),
    VM.ERROR: ('ERROR', _REBUILD),
    VM.DELETED: ('DELETED', {}),
    VM.SOFT_DELETED: ('SOFT_DELETED', {}),
    VM.SHELVED: ('SHELVED', {}),
    VM.SHELVED_OFFLOADED: ('SHELVED_OFFLOADED', {}),
}
"""vm_state -> its word, and the task_states that show another one."""

UNKNOWN = 'UNKNOWN'
"""The status of a server whose cell cannot be reached, or whose vm_state this release does not know."""


def status(vm_state: str | None, task_state: str | None, deleted: bool = False) -> str:
    """The status word of the API."""
    if deleted:
        return 'DELETED'
    found = _STATUS.get(vm_state)  # type: ignore[call-overload]  # a StrEnum key equals its text
    if found is None:
        return UNKNOWN
    word, special = found
    return special.get(task_state, word)


def from_status(word: str) -> list[tuple[str, set[str] | None]]:
    """The states that a status filter means, as ``(vm_state, task_states)``; None is any task_state.

    Case does not matter. A word that is some vm_state's own does not constrain its task_state; a word nothing
    maps to gives an empty list.
    """
    word = word.upper()
    pairs: list[tuple[str, set[str] | None]] = []
    for vm_state, (default, special) in _STATUS.items():
        tasks = {str(task) for task, shown in special.items() if shown == word}
        if default == word:
            pairs.append((str(vm_state), None))
        elif tasks:
            pairs.append((str(vm_state), tasks))
    return pairs


def statuses() -> list[str]:
    """Every status word, sorted."""
    words = {default for default, _ in _STATUS.values()}
    words.update(shown for _, special in _STATUS.values() for shown in special.values())
    return sorted(words | {UNKNOWN})


PROGRESS_STATUSES = frozenset({'ACTIVE', 'BUILD', 'REBUILD', 'RESIZE', 'VERIFY_RESIZE', 'MIGRATING'})
"""Statuses that show a progress number."""

FAULT_STATUSES = frozenset({'ERROR', 'DELETED'})
"""Statuses that show the last fault."""
