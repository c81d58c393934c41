"""What the two halves of a build carry with them."""


from nova.objects import base, fields
from nova.objects.network import NetworkRequest
from nova.objects.selection import Selection
from nova.steps.injection import InjectedFile


class BuildState(base.State):
    """The cell's half, for one server.

    Attributes:
        selections: the hosts still to be tried, best first.
        claimed: the first of them holds the server's allocation already.
        trust: what `Trust.trusted` needs to make the server's ports and volumes; None once they are made.
        files, password: for the guest; the password is hidden by `Trust.hide`.
        ports: ids of the server's ports, in the order of `networks`.
        unplugged: ports that its host has to plug in once the guest is there.
        serving: the providers of its host that serve what ports ask for (`nova.domain.port_requests`).
    """

    passing = ('trust', 'files', 'password')

    selections: list[Selection] = []
    claimed: bool = False
    networks: list[NetworkRequest] = []
    security_groups: list[str] = []
    has_volumes: bool = False
    unplugged: list[str] = []
    makes_volumes: bool = False
    trust: fields.Secret | None = None
    files: list[InjectedFile] = []
    ports: list[str] = fields.since('1.1', [])
    password: fields.Secret | None = fields.since('1.2', None)
    serving: fields.Json = fields.since('1.3', {})


class Planned(base.Record):
    """What is decided about one server of a request.

    Attributes:
        uuid: the server's.
        build: uuid of its task in the cell, chosen before anything is written there.
        selections: its host and the alternates, all of one cell; empty until hosts are chosen.
        revision: of its build request, as it was written into a cell; -1 is not known.
        withdrawn: deleted by its owner before it was handed over.
        handed: its cell has it.
        away: uuids of the cells that could not be written to when they were to have it.
        failure: why it has no host although others of the request have; None where that is not so.
    """

    uuid: fields.Uuid
    build: fields.Uuid
    selections: list[Selection] = []
    revision: int = -1
    withdrawn: bool = False
    handed: bool = fields.since('1.1', False)
    away: list[str] = fields.since('1.1', [])
    failure: str | None = fields.since('1.1', None)


class ScheduleState(base.State):
    """The super-conductor's half, for all servers of one request; what is `passing` is for their builds."""

    passing = ('trust', 'files', 'password')

    servers: list[Planned] = []
    trust: fields.Secret | None = None
    files: list[InjectedFile] = []
    password: fields.Secret | None = fields.since('1.1', None)

    def living(self) -> list['Planned']:
        """The servers that nobody has deleted as far as this task knows."""
        return [server for server in self.servers if not server.withdrawn]

    def placed(self) -> list['Planned']:
        """Those of them that have a host."""
        return [server for server in self.living() if server.selections]
