"""The host's part of a build.

What goes wrong on this host may go right on another: unless the fault lies with the request, the host refuses
instead of failing, and the flow takes its next alternate.
"""

import base64
import functools
from collections.abc import Callable
from typing import Any

from nova import errors, states
from nova.steps import ports, schedule, volumes

_HOPELESS = (errors.virt.BuildAborted, errors.task.Cancelled, errors.task.Refused,
             errors.image.ImageNotFound, errors.image.ImageUnusable, errors.image.ImageForbidden,
             errors.image.FlavorDiskTooSmall, errors.image.FlavorMemoryTooSmall,
             errors.block.VolumeNotFound, errors.block.AttachmentNotFound)
"""Errors that say the same on every host."""


def _or_refuse(step: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    @functools.wraps(step)
    def run(h: Any, state: Any) -> None:
        try:
            step(h, state)
        except _HOPELESS:
            raise
        except errors.NovaError as error:
            raise errors.task.Refused(error.message) from error
        except Exception as error:
            # Whatever broke here, another host may be whole.
            raise errors.task.Refused(type(error).__name__) from error
    return run


@_or_refuse
def connect_volumes(h: Any, state: Any) -> None:
    volumes.connect_volumes(h, state)


@_or_refuse
def spawn(h: Any, state: Any) -> None:
    """Start the guest, paused if its ports are not plugged in yet; one that runs already is left alone."""
    paused = ports.awaits_plugging(state)
    h.driver.spawn(h, [(file.path, base64.b64decode(file.contents)) for file in state.files], paused=paused)
    volumes.complete_attachments(h, state)
    h.instance.power_state = int(states.Power.PAUSED if paused else states.Power.RUNNING)
    schedule.mark_launched(h.instance)


@_or_refuse
def let_run(h: Any, state: Any) -> None:
    """The guest's ports are plugged in, or it has to do without."""
    h.driver.unpause(h.instance)
    h.instance.power_state = int(states.Power.RUNNING)


def destroy(h: Any, state: Any) -> None:
    """Undo of `spawn`: nothing of the guest is left here."""
    h.driver.destroy(h.instance)
    h.instance.power_state = int(states.Power.NOSTATE)
    h.instance.launched_at = None
