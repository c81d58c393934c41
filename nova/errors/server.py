"""Servers, their flavors, keys, tags, groups, and what users may do with them."""

from nova.errors import base


class ServerNotFound(base.NotFound):
    template = 'Instance {server} could not be found.'


class ServerInState(base.Conflict):
    """The server's state does not allow the action; `attribute` is vm_state, task_state or power_state."""

    template = "Cannot '{action}' instance {server} while it is in {attribute} {state}"


class ServerBusy(ServerInState):
    """Another operation runs that shows no task_state, or one has just ended."""

    template = "Cannot '{action}' instance {server} while another operation on it is in progress"


class ServerNotLaunched(base.Conflict):
    template = "Cannot '{action}' instance {server}: it was never launched"


class ServerLocked(base.Conflict):
    template = 'Instance {server} is locked'


class ServerNotReady(base.Conflict):
    template = 'Instance {server} is not assigned to a host yet'


class ServerBuilding(base.Conflict):
    template = 'Instance {server} is still being scheduled; try again in a moment'


class BuildRequestNotFound(base.NotFound):
    template = 'No build request for instance {server}'


class RequestSpecNotFound(base.NotFound):
    template = 'No request spec for instance {server}'


class InstanceMappingNotFound(base.NotFound):
    template = 'Instance {server} has no mapping to a cell'


class MarkerNotFound(base.Invalid):
    template = 'marker [{marker}] not found'


class MetadataItemNotFound(base.NotFound):
    template = 'Metadata item was not found'


class TagNotFound(base.NotFound):
    template = "Instance {server} has no tag '{tag}'"


class FlavorNotFound(base.NotFound):
    template = 'Flavor {flavor} could not be found.'


class FlavorExists(base.Conflict):
    template = 'Flavor with name {name} already exists.'


class FlavorIdExists(base.Conflict):
    template = 'Flavor with ID {flavor} already exists.'


class FlavorAccessExists(base.Conflict):
    template = 'Project {project} has access to flavor {flavor} already.'


class FlavorAccessNotFound(base.NotFound):
    template = 'Project {project} has no access to flavor {flavor}.'


class FlavorExtraSpecNotFound(base.NotFound):
    template = "Flavor {flavor} has no extra spec '{key}'."


class KeyPairNotFound(base.NotFound):
    template = 'Keypair {name} not found for user {user}'


class KeyPairExists(base.Conflict):
    template = "Key pair '{name}' already exists."


class ServerGroupNotFound(base.NotFound):
    template = 'Instance group {group} could not be found.'


class OverQuota(base.Forbidden):
    """More than a limit allows.

    Args:
        resources: one mapping ``{resource: (requested, used, limit)}`` of those that went over.
    """

    template = 'Quota exceeded for {names}: Requested {requested}, but already used {used} of {limits} {names}'

    def __init__(self, message: str | None = None,
                 resources: dict[str, tuple[int, int, int]] | None = None) -> None:
        over = dict(sorted((resources or {}).items()))
        columns = [', '.join(str(row[i]) for row in over.values()) for i in range(3)]
        super().__init__(message, names=', '.join(over), requested=columns[0], used=columns[1],
                         limits=columns[2], resources=over)


class OverUnifiedLimit(OverQuota):
    """More than a limit allows that the identity service keeps; it is said as every service says it."""

    def __init__(self, message: str | None = None, project: str = '',
                 resources: dict[str, tuple[int, int, int]] | None = None) -> None:
        over = ', '.join(
            f'Resource {name} is over limit of {limit} due to current usage {used} and delta {wanted}'
            for name, (wanted, used, limit) in sorted((resources or {}).items()))
        super().__init__(message or f'Project {project} is over a limit for [{over}]', resources)


class LimitExceeded(base.Forbidden):
    """A limit on one thing (metadata items, key pairs, group members), where no usage is counted."""

    template = 'Quota exceeded, too many {resource}.'


class ServerHasTpm(base.Conflict):
    template = ('Server {server} has an emulated TPM, and cannot {action} with it: what the TPM keeps is '
                'on its host alone, and would be lost.')


class PassphraseUnavailable(base.Internal):
    template = 'The key manager does not do its part for the passphrase {name}: {reason}'


class KeyManagerAway(base.Unavailable):
    again = True
    template = 'The key manager, which has the passphrase {name}, cannot be reached: {reason}'
