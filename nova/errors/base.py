"""The families of errors, and their journal form.

    NovaError
    ├── Invalid       400      ├── Conflict     409
    ├── Forbidden     403      ├── Unavailable  503
    ├── NotFound      404      └── Internal     500

One class is a message, an HTTP status and a stable code; nothing else maps errors to statuses. The code is
the class name in snake case, so it is unique, and survives a trip through a journal or over the bus.
"""

import re
import traceback
from typing import ClassVar

from nova.common import problem, registry
from nova.common.jsonutil import JsonObject

_kinds: registry.Registry[type['NovaError']] = registry.Registry('error code')


class NovaError(problem.Problem):
    """Base of every error of the compute services.

    Attributes:
        everywhere: a host that says this says what every other host would say.
        again: the world may be different in a moment: the step is tried again, forward, until its time is over.
            The last word of whoever was asked keeps False.
    """

    everywhere: ClassVar[bool] = False
    again: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.code = re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', cls.__name__).lower()
        _kinds.add(cls.code, cls)

    def told_operators(self) -> str:
        """What only administrators may read of this error; nothing, by default."""
        return ''

    def stages(self) -> list[JsonObject]:
        """What took hosts away, and how many, which everybody may read; empty but where no host fits."""
        return []


class Invalid(NovaError, problem.BadRequest):
    pass


class Forbidden(NovaError, problem.Forbidden):
    pass


class NotFound(NovaError, problem.NotFound):
    pass


class Conflict(NovaError, problem.Conflict):
    pass


class Unavailable(NovaError, problem.Unavailable):
    pass


class Internal(NovaError):
    status = 500
    template = 'An unexpected error occurred.'


def to_dict(error: BaseException) -> JsonObject:
    """The form in which journals, the bus and server faults keep an error.

    Returns:
        ``code`` (HTTP-like int), ``message``, ``type`` (stable code) and ``details`` (for administrators:
        what the error has to tell them alone, and the traceback). The text of an error that is none of
        ours may hold anything, so users get its class name instead; ``details`` keeps the text.
        ``stages`` where there are any.
    """
    details = ''.join(traceback.format_exception(error))
    more = {}
    if isinstance(error, NovaError):
        details = f'{error.told_operators()}\n{details}'.lstrip()
        more = {'stages': error.stages()} if error.stages() else {}
    if isinstance(error, problem.Problem):
        return {'code': error.status, 'message': error.message, 'type': error.code, 'details': details, **more}
    return {'code': 500, 'message': type(error).__name__, 'type': Internal.code, 'details': details}


def from_dict(form: JsonObject) -> NovaError:
    """The error that `to_dict` described; a kind this release does not know becomes `Internal`."""
    kind = _kinds.get(form.get('type', '')) or Internal
    error = kind.__new__(kind)
    problem.Problem.__init__(error, form.get('message') or kind.__name__)
    return error


def kinds() -> list[type[NovaError]]:
    """Every error class, by code, for the reference and the contract lock."""
    return _kinds.values()
