"""How tasks are refused, lost and ended."""


from nova.errors import base


class Busy(base.Conflict):
    """The server's exclusive slot is taken; the word in the text is the task_state that users see.

    Attributes:
        passes: what is in the way goes by itself in a moment, and no host is asked: a request waits for it.
    """

    passes = False
    template = "Cannot '{action}' instance {server} while it is in task_state {state}"


class Lost(base.Internal):
    """Someone else owns the task now, or may own it; who gets this stops at once and writes nothing more.

    No step catches it: it is of no family of errors that means something to an operation.
    """

    template = 'Task {task} has another owner.'


class Occupied(base.Conflict):
    """An operation that can wait finds its server busy with another one."""

    again = True
    template = 'Another operation is in progress on server {server}.'


class NotInProgress(base.Conflict):
    template = "Operation '{action}' is not in progress on server {server}."


class LeftOver(base.Conflict):
    """What is to be removed cannot be removed yet."""

    again = True
    template = 'Something is left over of server {server}: {reason}'


class TaskNotFound(base.NotFound):
    template = 'Task {task} could not be found.'


class Refused(base.Conflict):
    """A host says "not me": the flow unwinds to its last choice and takes the next alternate."""

    everywhere = True
    template = 'The host refused: {reason}'

    def __init__(self, reason: str = '') -> None:
        super().__init__(reason=reason)


class StepFailed(base.Internal):
    template = 'Step {step} failed: {reason}'


class StepLost(base.Internal):
    template = 'No answer about step {step} came from host {host} in time.'


class Cancelled(base.Conflict):
    everywhere = True
    template = 'Task {task} was cancelled.'


class Stuck(base.Internal):
    template = 'Task {task} can neither go on nor back; an operator has to resume or abandon it.'


class DeadlinePassed(base.Internal):
    template = "Task '{flow}' did not end within {seconds} seconds."


class MovesGoOn(base.Conflict):
    """What moves servers has been told to stop and has not ended yet."""

    again = True
    template = 'Moves have not ended yet of servers {servers}.'


class DrainGoesOn(base.Conflict):
    template = ('Host {host} is being drained by task {task}; look at it with `nova-manage host drain {host} '
                '--show`, or stop it with --abort.')


class NotToBeResumed(base.Conflict):
    template = 'Task {task} cannot be resumed: {reason}.'


class NotToBeAbandoned(base.Conflict):
    template = 'Task {task} cannot be abandoned: {reason}.'


class Abandoned(base.Internal):
    template = "Operation '{flow}' was abandoned by an operator."


class NotEntrusted(base.Internal):
    """A task was to act for a user and has not got his word, or cannot read it."""

    everywhere = True
    template = 'The operation cannot act for its user: his token was not handed on to it in a form it can read.'


class RetriesExceeded(base.Internal):
    """Every alternate was tried; `reason` is what the last host said."""

    template = 'Exceeded maximum number of retries. {reason}'


class FlowUnknown(base.Internal):
    """What a host, or a worker, says of a task that another release has begun."""

    template = 'No flow {flow} of version {version} is known here.'


class HostBehind(base.Conflict):
    template = "Host {host} is of a release that does not know '{flow}'; it has to be upgraded first."


class NotYet(base.Conflict):
    template = "'{action}' cannot be asked for before every conductor is of this release."
