"""What the system asks of its neighbours: the shapes that the real clients and the fakes share.

Every effect here may be repeated, or its outcome asked for: ports are found again by server, attachments by
server, allocations by consumer. Refusals arrive as `nova.errors`; a neighbour that cannot be used is an
`errors.Unavailable` of its kind.
"""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import IO, Protocol

from nova import context as nova_context
from nova.common.jsonutil import JsonObject
from nova.domain import placement_request, provider_tree
from nova.objects.image_meta import ImageMeta
from nova.objects.instance import Instance
from nova.objects.network import NetworkRequest
from nova.objects.network_model import NetworkInfo
from nova.objects.quota import unified

Data = bytes | IO[bytes] | Iterable[bytes]
"""What an image is made of: the whole, a file, or pieces."""


@dataclasses.dataclass(slots=True)
class Candidates:
    """Placement's answer to a request.

    Attributes:
        allocation_requests: ways to serve it, each ``{"allocations": {provider: {"resources": {...}}},
            "mappings": {...}}``, opaque to everyone but `PlacementClient.claim`.
        provider_summaries: by provider uuid: ``resources`` (capacity, used), ``traits``,
            ``parent_provider_uuid``, ``root_provider_uuid``.
        explain: where none is left, what removed them: ``{"constraint": text, "left": how many}`` in order.
        version: microversion that the allocation requests are written in.
    """

    allocation_requests: list[JsonObject]
    provider_summaries: dict[str, JsonObject]
    explain: list[JsonObject] = dataclasses.field(default_factory=list)
    version: str = '1.39'


@dataclasses.dataclass(slots=True)
class Allocations:
    """What a consumer holds: ``allocations`` is ``{provider: {"resources": {class: amount}}}``, empty for none.

    `generation` is None for a consumer that does not exist.
    """

    allocations: dict[str, JsonObject]
    generation: int | None = None
    project_id: str | None = None
    user_id: str | None = None
    kind: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """What a consumer is to hold, an allocation request, and whose it is."""

    allocation_request: JsonObject
    project_id: str
    user_id: str


class PlacementClient(Protocol):
    """The Placement service, with our own credentials."""

    def candidates(self, request: placement_request.ResourceRequest) -> Candidates:
        """Ways to serve a request; none is an answer, with `Candidates.explain`."""

    def claim(self, consumer: str, allocation_request: JsonObject, project_id: str, user_id: str,
              kind: str = 'INSTANCE', replaces: Callable[[Allocations], bool] | None = None) -> bool:
        """Make the consumer hold exactly this; False when it does not fit any more. Repeatable.

        Args:
            replaces: asked whether what the consumer holds already is replaced; no is as if it did not fit.
        """

    def claim_each(self, wanted: Mapping[str, Claim], kind: str = 'INSTANCE') -> bool:
        """Make each of several consumers hold what is claimed for it, in one atomic write.

        Returns:
            False, and nothing has changed, when they do not fit, or one of them holds something already.
        """

    def drop(self, consumer: str, claimed: JsonObject | None = None) -> None:
        """Make the consumer hold nothing. Repeatable.

        Args:
            claimed: only if it holds this, an allocation request that was claimed for it; whoever has changed
                it meanwhile has seen to it.
        """

    def allocations(self, consumer: str) -> Allocations:
        """What the consumer holds."""

    def move(self, source: str, target: str, kind: str, once: bool = False) -> bool:
        """Give all that `source` holds to `target`, in one atomic write; what `target` held is given up.

        Args:
            once: not where `target` holds something: then that has happened, and `source` holds something else.

        Returns:
            True when `target` holds it (also when it did already), False when there is nothing to move.
        """

    def hold(self, wanted: Mapping[str, tuple[JsonObject, str]], project_id: str, user_id: str) -> bool:
        """Make each of several consumers hold exactly what is said, in one atomic write. Repeatable.

        Args:
            wanted: by consumer, its allocations (as in `Allocations`) and its type (INSTANCE, MIGRATION).
            project_id, user_id: of consumers that do not exist yet.

        Returns:
            False when it does not fit.
        """

    def report(self, wanted: provider_tree.ProviderTree) -> None:
        """Make the providers of a tree what the host says: existence, inventories, traits, aggregates."""

    def delete_provider(self, uuid: str) -> None:
        """Delete a provider and its children; one that does not exist is deleted.

        Raises:
            Conflict: something is allocated on it.
        """

    def provider(self, name: str) -> str | None:
        """uuid of the provider of a name."""

    def traits(self, provider: str) -> set[str]:
        """What a provider can do; nothing, where there is no such provider."""

    def held(self, root: str) -> dict[str, dict[str, int]]:
        """What each consumer holds of a provider and of those below it, by class; nothing, where there is no
        such provider."""

    def add_to_aggregate(self, provider: str, aggregate: str) -> None:
        """Put a provider in an aggregate. Repeatable."""

    def remove_from_aggregate(self, provider: str, aggregate: str) -> None:
        """Take a provider out of an aggregate; one that does not exist is out. Repeatable."""


class IdentityClient(Protocol):
    """The identity service, as the user."""

    def check_project(self, context: nova_context.RequestContext, project_id: str) -> None:
        """Pass where the project exists, and where that cannot be found out.

        Raises:
            ProjectUnknown: there is no such project.
        """


class LimitsClient(Protocol):
    """The unified limits that the identity service keeps, with our own credentials."""

    def known(self, project_id: str) -> unified.Known:
        """Limits of all projects, and those of this one's own; at most so old as the configuration allows.

        Raises:
            LimitsFailed: they cannot be read.
        """


class PassingClient(Protocol):
    """A neighbour's API for whom the Compute API passes on to it."""

    def ask(self, context: nova_context.RequestContext, method: str, path: str, body: JsonObject | None = None,
            query: Mapping[str, str] | None = None) -> JsonObject:
        """Ask as the user; answers the document, an empty one where there is none.

        Raises:
            Invalid, Forbidden (a quota among others), NotFound, Conflict: what the neighbour says to it.
            Unavailable: it cannot be asked.
        """


class ImageClient(Protocol):
    """The image service; as the user where the context has a token, else with our own credentials."""

    def show(self, image_id: str, context: nova_context.RequestContext | None = None) -> ImageMeta:
        """The image as an `ImageMeta`.

        Raises:
            ImageNotFound: no such image, or not for this user.
        """

    def create(self, values: JsonObject, context: nova_context.RequestContext | None = None) -> str:
        """Register an image without data; returns its id. With an ``id`` in `values` it is repeatable.

        An id is used once: that of an image which was deleted makes no other.
        """

    def update(self, image_id: str, values: JsonObject) -> None:
        """Set properties of an image."""

    def upload(self, image_id: str, data: Data) -> None:
        """Give the image its data: bytes, or a file open for reading.

        Raises:
            ImageNotFound: the image is gone.
            Conflict: it has data.
        """

    def download(self, image_id: str) -> Iterator[bytes]:
        """The data, in pieces."""

    def delete(self, image_id: str) -> None:
        """Delete an image; one that does not exist is deleted."""

    def documents(self, context: nova_context.RequestContext | None, filters: Mapping[str, str], limit: int,
                  marker: str | None) -> list[JsonObject]:
        """Images that the user sees, or we, as Glance's v2 API shows them; at most `limit`, behind the marker.

        Raises:
            Invalid: a filter or marker that Glance does not accept.
        """

    # For clients that still ask us about images: what the user may, in his name, as Glance says it.

    def document(self, context: nova_context.RequestContext, image_id: str) -> JsonObject:
        """One of them.

        Raises:
            ImageNotFound, ImageForbidden.
        """

    def alter(self, context: nova_context.RequestContext, image_id: str, put: Mapping[str, str],
              drop: Collection[str]) -> JsonObject:
        """Set properties of the user's image and take others away; returns it.

        Raises:
            ImageNotFound, ImageForbidden, Invalid.
        """

    def discard(self, context: nova_context.RequestContext, image_id: str) -> None:
        """Delete an image as the user.

        Raises:
            ImageNotFound, ImageForbidden, Conflict: it is in use.
        """


class VolumeClient(Protocol):
    """The volume service.

    What is shown, listed, created and reserved is the user's where a context with his token comes along; all
    else needs our credentials.
    """

    def show(self, context: nova_context.RequestContext | None, volume_id: str) -> JsonObject:
        """A volume as Cinder's v3 API shows it.

        Raises:
            VolumeNotFound: no such volume, or not for this user.
        """

    def encryption(self, volume_id: str) -> JsonObject:
        """How an encrypted volume is: ``provider`` and ``encryption_key_id``, which is no key, and None where
        the volume is not encrypted.

        Raises:
            VolumeNotFound: no such volume.
        """

    def snapshot(self, context: nova_context.RequestContext | None, snapshot_id: str) -> JsonObject:
        """A snapshot as Cinder's v3 API shows it.

        Raises:
            SnapshotNotFound: no such snapshot, or not for this user.
        """

    def create_snapshot(self, context: nova_context.RequestContext | None, values: JsonObject) -> str:
        """Snapshot a volume (``volume_id``, ``name``, ``description``, ``metadata``), in use or not; returns
        the snapshot's id.

        It may take a while to become available. ``metadata`` should tell the server and the task, so that a
        late one can be found by `find_snapshots`.

        Raises:
            VolumeLimitExceeded: the quota of the project is used up.
            VolumeNotFound, VolumeInvalid: as their names say.
        """

    def find_snapshots(self, metadata: Mapping[str, str]) -> list[JsonObject]:
        """Snapshots of any project with these metadata."""

    def untag_snapshot(self, snapshot_id: str, keys: Sequence[str]) -> None:
        """Take keys out of a snapshot's metadata; keys and snapshots that do not exist are fine."""

    def delete_snapshot(self, snapshot_id: str) -> None:
        """Delete a snapshot; one that does not exist is deleted.

        Raises:
            SnapshotBusy: it is still being made, or in use.
        """

    def types(self, context: nova_context.RequestContext | None) -> list[JsonObject]:
        """The volume types that the user may choose from: ``id`` and ``name`` of each."""

    def create(self, context: nova_context.RequestContext | None, values: JsonObject) -> str:
        """Create a volume (``size``, ``imageRef``, ``snapshot_id``, ``source_volid`` ...); returns its id.

        It is for the project of the context's token, and may take a while to become available. ``metadata``
        should tell the server and the device, so that a late one can be found by `find`.
        """

    def find(self, metadata: Mapping[str, str]) -> list[JsonObject]:
        """Volumes of any project with these metadata."""

    def untag(self, volume_id: str, keys: Sequence[str]) -> None:
        """Take keys out of a volume's metadata; keys and volumes that do not exist are fine."""

    def delete(self, volume_id: str) -> None:
        """Delete a volume; one that does not exist is deleted.

        Raises:
            VolumeBusy: it is attached, has snapshots, or is still being made.
        """

    def reimage(self, context: nova_context.RequestContext | None, volume_id: str, image_id: str) -> None:
        """Have a reserved volume written anew from an image; it is ``downloading`` meanwhile.

        Raises:
            VolumeInvalid: its state does not allow it, or the image does not fit.
        """

    def reserve(self, volume_id: str, server_uuid: str,
                context: nova_context.RequestContext | None = None) -> str:
        """Reserve a volume for a server by an attachment without connector. Repeatable: the same id returns."""

    def connect(self, attachment_id: str, connector: Mapping[str, object]) -> JsonObject:
        """Tell who connects; returns ``connection_info``. Repeatable.

        Its ``attachment_id`` says which attachment it is: another one has taken the place of this where the
        same server has the volume connected already, on another host.
        """

    def complete(self, attachment_id: str) -> None:
        """The volume is in the guest: mark it in use. Repeatable."""

    def tell_snapshot(self, snapshot_id: str, status: str, progress: str | None = None) -> None:
        """Tell how a host's part of a snapshot went; one that is gone, or said so before, is fine."""

    def migrated(self, old: str, new: str, error: bool) -> str:
        """Tell that a server has gone from one volume of a migration to the other, or has not; returns the id
        under which its volume is kept. Repeatable.
        """

    def attachment(self, attachment_id: str) -> JsonObject:
        """An attachment as Cinder shows it."""

    def attachments(self, server_uuid: str) -> list[JsonObject]:
        """Attachments of a server, of all its volumes."""

    def every_attachment(self) -> list[JsonObject]:
        """Attachments of every volume of every project."""

    def detach(self, attachment_id: str) -> None:
        """Delete an attachment; one that does not exist is deleted."""


class ShareClient(Protocol):
    """The share service. Whom it lets use a share is ``kind`` (``ip`` or ``cephx``) and name."""

    def show(self, context: nova_context.RequestContext | None, share_id: str) -> JsonObject:
        """The share, with ``status``, ``share_proto`` and ``export_location``, which is None where it has none.

        Raises:
            ShareNotFound: there is none, or the user of the context may not see it.
        """

    def access(self, share_id: str, kind: str, to: str) -> JsonObject | None:
        """The rule that lets somebody use a share: ``state`` (``active`` or ``error`` in the end) and
        ``access_key``; None where there is none.

        Raises:
            ShareNotFound: it is gone.
        """

    def allow(self, share_id: str, kind: str, to: str) -> None:
        """Let somebody use a share; `access` says when he may. Users cannot take the rule away. Repeatable."""

    def deny(self, share_id: str, kind: str, to: str) -> None:
        """Let somebody use a share no more; one who may not is left alone. Repeatable."""

    def hold(self, share_id: str, server: str) -> None:
        """Keep a share from being deleted while a server has it. Repeatable."""

    def release(self, share_id: str, server: str) -> None:
        """End `hold`; other servers' locks stay. Repeatable."""


class KeyClient(Protocol):
    """The key manager, as far as passphrases of TPMs go: with the deployment's credentials, whoever asks.

    Every method raises PassphraseUnavailable where it does not do what it was asked for, and KeyManagerAway
    where it cannot be reached.
    """

    def make(self, context: nova_context.RequestContext, name: str) -> str:
        """Keep a new passphrase under a name, which need not be the only one's; its id."""

    def named(self, context: nova_context.RequestContext, name: str) -> list[str]:
        """Ids of the passphrases of this name, among those that the key manager lists."""

    def reveal(self, context: nova_context.RequestContext, key_id: str) -> str:
        """A passphrase."""

    def forget(self, context: nova_context.RequestContext, key_id: str) -> None:
        """Delete a passphrase; one that is not there is deleted. Repeatable."""


class NetworkClient(Protocol):
    """The network service. What takes a context is done as the user, all else with our own credentials."""

    def check(self, context: nova_context.RequestContext, requested: Sequence[NetworkRequest], count: int
              ) -> list[NetworkRequest]:
        """Make requested networks definite, or say what is wrong with them, before anything is made.

        Args:
            requested: `NetworkRequest` records as the user gave them; none, or one with ``network_id``
                'auto', means "the network that is mine"; 'none' means no network.
            count: how many servers there must be room for.

        Returns:
            Requests with network ids filled in, ports checked.
        """

    def fitting(self, context: nova_context.RequestContext, requested: Sequence[NetworkRequest], most: int
                ) -> int:
        """How many servers, at most `most`, the project's quota of ports has room for.

        Args:
            requested: what `check` returned.
        """

    def make(self, context: nova_context.RequestContext, server: Instance, requested: Sequence[NetworkRequest],
             security_groups: Sequence[str] = (), key: str = '', again: bool = True) -> list[str]:
        """Give the server ports, as the user, bound to no host yet. Repeatable.

        Args:
            context: with the user's token: what he may not ask of the network service he does not get from us.
            key: names this operation (its task's uuid): a repetition finds what it made, and takes nothing else
                for it.
            again: an earlier call of this operation may have made some of them.

        Returns:
            ids, one a request, in their order.
        """

    def unmake(self, server: Instance, ports: Collection[str], key: str) -> None:
        """Take back what `make` made under this key, and these ports. Repeatable."""

    def set_addresses(self, port_id: str, addresses: Sequence[JsonObject]) -> None:
        """Give a port these addresses: each ``subnet_id``, and ``ip_address`` where it is to have that one.

        Raises:
            Conflict: no address is free.
        """

    def place(self, server: Instance, ports: Sequence[str], requested: Sequence[NetworkRequest], host: str,
              serving: Mapping[str, str] | None = None) -> NetworkInfo:
        """Bind what `make` made to a host; returns the `NetworkInfo` of these ports. Repeatable.

        Args:
            serving: the providers of the host that serve what ports ask for, by group (also below).
        """

    def bind(self, server: Instance, host: str, serving: Mapping[str, str] | None = None) -> NetworkInfo:
        """Bind all ports of the server to a host, but for those that are devices of hosts; returns its
        `NetworkInfo`. Repeatable."""

    def bind_devices(self, server: Instance, host: str, profiles: Mapping[str, JsonObject]) -> NetworkInfo:
        """Bind ports that are devices of a host; returns the server's `NetworkInfo`. Repeatable.

        Args:
            profiles: what ``binding:profile`` says of the device, by port.
        """

    def unbind(self, server: Instance) -> None:
        """Take the ports off any host, keeping them the server's. Repeatable."""

    def prebind(self, server: Instance, host: str, serving: Mapping[str, str] | None = None) -> None:
        """Prepare an inactive binding on another host, before a live migration. Repeatable."""

    def activate(self, server: Instance, host: str, serving: Mapping[str, str] | None = None) -> NetworkInfo:
        """Make the bindings on a host the active ones; returns the `NetworkInfo`. Repeatable."""

    def drop_bindings(self, server: Instance, host: str) -> None:
        """Delete the bindings of a host, unless they are the active ones. Repeatable."""

    def release(self, server: Instance, requested: Iterable[NetworkRequest] = ()) -> None:
        """Delete the ports we made for the server and give back those we did not. Repeatable."""

    def release_port(self, server: Instance, port_id: str) -> None:
        """`release` of one port."""

    def drop_late(self, server_uuid: str, kept: Collection[str], gone: bool) -> list[str]:
        """Delete ports that we made for the server and that are none of `kept`; their ids.

        Args:
            gone: the server is no more: the ports of users that are left at it are given back, too.
        """

    def info(self, server: Instance) -> NetworkInfo:
        """The `NetworkInfo` as it is now."""

    def servers_at(self, part: str, project_id: str | None, most: int) -> dict[str, list[str]] | None:
        """Which servers have ports with `part` in an address, and the fixed addresses of these ports.

        Where the network service cannot look for parts, of all ports; None when there are more than `most`.

        Args:
            project_id: only this project's.
        """

    def ports(self, server_uuid: str | None, address: str | None = None) -> list[JsonObject]:
        """Ports of a server as Neutron's v2.0 API shows them, in the order they were made.

        None: those of every server of every project, of which at least ``id`` and ``device_id``; or, of these
        and of what else has ports, those with a fixed address.
        """

    def security_groups(self, context: nova_context.RequestContext, names: Sequence[str]) -> list[str]:
        """ids of security groups given by name or id.

        Raises:
            SecurityGroupNotFound, SecurityGroupAmbiguous: as their names say.
        """

    def groups_of(self, context: nova_context.RequestContext,
                  server_uuid: str) -> tuple[list[JsonObject], dict[str, JsonObject]]:
        """Groups of a server's ports that the user sees, with their rules; and by id whom these name."""

    def join_security_group(self, context: nova_context.RequestContext, server_uuid: str, name: str) -> None:
        """Put every port of the server that has port security in a group, which is given by name or id.
        Repeatable.

        Raises:
            SecurityGroupNotFound, SecurityGroupAmbiguous: as their names say.
            PortWithoutSecurity: none of them can be in any.
        """

    def leave_security_group(self, context: nova_context.RequestContext, server_uuid: str, name: str) -> bool:
        """Take every port of the server out of a group; whether any was in it."""

    def set_security_groups(self, server_uuid: str, groups: Sequence[str]) -> None:
        """Make these the security groups of every port of the server. Repeatable."""
