"""Payloads of notifications: records that others read, so times are texts and names are theirs.

Whoever adds a field raises the version of the class; a test compares them with what is published.
"""

from collections.abc import Iterable
from typing import Any, Self

from nova import states
from nova.common import clock
from nova.common.jsonutil import JsonObject
from nova.objects import base, fields
from nova.objects.aggregate import Aggregate
from nova.objects.block_device import BlockDeviceMapping
from nova.objects.flavor import Flavor
from nova.objects.group import InstanceGroup
from nova.objects.instance import Instance
from nova.objects.keypair import KeyPair
from nova.objects.network_model import VIF
from nova.objects.service import Service
from nova.objects.share_mapping import ShareMapping


class Payload(base.Record, abstract=True):
    """Base of payloads; each says its version, for its fields are published under that."""

    def __init_subclass__(cls, version: str) -> None:
        super().__init_subclass__()
        cls.VERSION = version

    def message(self) -> JsonObject:
        """As it is sent."""
        self.clean()
        return self.to_wire()


class ExceptionPayload(Payload, version='1.1'):
    module_name: str = ''
    function_name: str = ''
    exception: str
    exception_message: str
    traceback: str = ''

    @classmethod
    def of(cls, error: JsonObject | None) -> Self:
        """Of an operation's error (`nova.errors.to_dict`); none is told when a user cancelled it."""
        if error is None:
            return cls(exception='Cancelled', exception_message='The operation was cancelled.')
        return cls(exception=str(error.get('type') or error.get('code') or 'Error'),
                   exception_message=str(error.get('message') or ''), traceback=str(error.get('details') or ''))


class FlavorPayload(Payload, version='1.4'):
    flavorid: str | None
    memory_mb: int | None
    vcpus: int | None
    root_gb: int | None
    ephemeral_gb: int | None
    name: str
    swap: int
    rxtx_factor: float | None
    vcpu_weight: int | None = 0
    disabled: bool
    is_public: bool
    extra_specs: dict[str, str] | None
    projects: list[str] | None
    description: str | None

    @classmethod
    def of(cls, flavor: Flavor, projects: list[str] | None = None) -> Self:
        return cls(
            flavorid=flavor.flavorid, memory_mb=flavor.memory_mb, vcpus=flavor.vcpus, root_gb=flavor.root_gb,
            ephemeral_gb=flavor.ephemeral_gb, name=flavor.name, swap=flavor.swap,
            rxtx_factor=flavor.rxtx_factor, disabled=flavor.disabled, is_public=flavor.is_public,
            extra_specs=dict(flavor.extra_specs), projects=projects, description=flavor.description)


class KeypairPayload(Payload, version='1.0'):
    user_id: str | None
    name: str
    fingerprint: str | None
    public_key: str | None
    type: str

    @classmethod
    def of(cls, pair: KeyPair) -> Self:
        return cls(user_id=pair.user_id, name=pair.name, fingerprint=pair.fingerprint,
                   public_key=pair.public_key, type=pair.type)


class AggregatePayload(Payload, version='1.1'):
    id: int | None
    uuid: fields.Uuid
    name: str
    hosts: list[str] | None
    metadata: dict[str, str] | None

    @classmethod
    def of(cls, aggregate: Aggregate) -> Self:
        return cls(id=aggregate.id, uuid=aggregate.uuid, name=aggregate.name, hosts=list(aggregate.hosts),
                   metadata=dict(aggregate.metadata))


class ServerGroupPayload(Payload, version='1.1'):
    uuid: fields.Uuid
    name: str | None
    user_id: str | None
    project_id: str | None
    policies: list[str] | None
    members: list[str] | None
    hosts: list[str] | None
    policy: str | None
    rules: dict[str, str]

    @classmethod
    def of(cls, group: InstanceGroup) -> Self:
        return cls(
            uuid=group.uuid, name=group.name, user_id=group.user_id, project_id=group.project_id,
            policies=[group.policy] if group.policy else [], members=list(group.members), hosts=None,
            policy=group.policy, rules={name: str(value) for name, value in group.rules.items()})


class ServiceStatusPayload(Payload, version='1.1'):
    host: str | None
    binary: str | None
    topic: str | None
    report_count: int
    disabled: bool
    disabled_reason: str | None
    availability_zone: str | None = None
    last_seen_up: str | None
    forced_down: bool
    version: int
    uuid: fields.Uuid

    @classmethod
    def of(cls, service: Service) -> Self:
        return cls(
            host=service.host, binary=service.binary, topic=service.topic, report_count=service.report_count,
            disabled=service.disabled, disabled_reason=service.disabled_reason,
            last_seen_up=clock.isotime(service.last_seen_up), forced_down=service.forced_down,
            version=service.version, uuid=service.uuid)


class IpPayload(Payload, version='1.0'):
    label: str
    mac: str
    meta: fields.Json
    port_uuid: fields.Uuid | None
    version: int
    address: str
    device_name: str | None

    @classmethod
    def all_of(cls, vifs: Iterable[VIF]) -> list[Self]:
        return [cls(label=vif.network.label or '', mac=vif.address or '', meta={}, port_uuid=vif.id,
                    version=ip.version, address=ip.address, device_name=vif.devname)
                for vif in vifs for ip in vif.fixed_ips()]


class BlockDevicePayload(Payload, version='1.0'):
    device_name: str | None
    boot_index: int | None
    delete_on_termination: bool
    volume_id: fields.Uuid
    tag: str | None

    @classmethod
    def all_of(cls, devices: Iterable[BlockDeviceMapping]) -> list[Self]:
        """Of the volumes; other disks belong to the server."""
        return [cls(device_name=device.device_name, boot_index=device.boot_index, tag=device.tag,
                    delete_on_termination=device.delete_on_termination, volume_id=device.volume_id)
                for device in devices if device.volume_id]


class SharePayload(Payload, version='1.0'):
    share_mapping_uuid: fields.Uuid
    share_id: fields.Uuid
    status: str
    tag: str

    @classmethod
    def all_of(cls, shares: Iterable[ShareMapping]) -> list[Self]:
        return [cls(share_mapping_uuid=share.uuid, share_id=share.share_id, status=share.status, tag=share.tag)
                for share in shares]


class InstancePayload(Payload, version='1.9'):
    """A server, as it is when the transaction ends that tells of it."""

    uuid: fields.Uuid
    user_id: str | None
    tenant_id: str | None
    reservation_id: str | None
    display_name: str | None
    display_description: str | None
    host_name: str | None
    host: str | None
    node: str | None
    os_type: str | None
    architecture: str | None
    availability_zone: str | None
    flavor: FlavorPayload
    image_uuid: str | None
    key_name: str | None
    kernel_id: str | None
    ramdisk_id: str | None
    created_at: str | None
    launched_at: str | None
    terminated_at: str | None
    deleted_at: str | None
    updated_at: str | None
    state: str | None
    power_state: str | None
    task_state: str | None
    progress: int | None
    ip_addresses: list[IpPayload]
    block_devices: list[BlockDevicePayload] | None
    metadata: dict[str, str]
    locked: bool
    auto_disk_config: str
    request_id: str | None
    action_initiator_user: str | None
    action_initiator_project: str | None
    locked_reason: str | None
    shares: list[SharePayload] | None = []

    @classmethod
    def about(  # type: ignore[explicit-any]
            cls, server: Instance, asked: JsonObject, with_volumes: bool, **more: Any) -> Self:
        """The payload about a server.

        Args:
            server: loaded in full.
            asked: ``request_id``, ``user_id`` and ``project_id`` of who wants what is done.
            more: the fields of a subclass.
        """
        known = server.image_meta.properties if server.image_meta is not None else None
        return cls(
            uuid=server.uuid, user_id=server.user_id, tenant_id=server.project_id,
            reservation_id=server.reservation_id, display_name=server.display_name,
            display_description=server.display_description, host_name=server.hostname, host=server.host,
            node=server.node, os_type=known.os_type if known else None,
            architecture=known.hw_architecture if known else None, availability_zone=server.availability_zone,
            flavor=FlavorPayload.of(server.flavor), image_uuid=server.image_ref or None,
            key_name=server.key_name, kernel_id=server.kernel_id, ramdisk_id=server.ramdisk_id,
            **{name: clock.isotime(getattr(server, name)) for name in (
                'created_at', 'launched_at', 'terminated_at', 'deleted_at', 'updated_at')},
            state=server.vm_state, power_state=_POWERS.get(server.power_state, 'pending'),
            task_state=server.task_state,
            progress=server.progress,
            ip_addresses=IpPayload.all_of(server.network_info.vifs if server.network_info else ()),
            block_devices=BlockDevicePayload.all_of(server.block_devices) if with_volumes else [],
            metadata=dict(server.metadata), locked=server.locked,
            auto_disk_config='AUTO' if server.auto_disk_config else 'MANUAL',
            request_id=asked.get('request_id'), action_initiator_user=asked.get('user_id'),
            action_initiator_project=asked.get('project_id'),
            locked_reason=(server.system_metadata or {}).get('locked_reason'), **more)


_POWERS: dict[int, str] = {int(power): power.name.lower() for power in states.Power if power}


class InstanceActionPayload(InstancePayload, version='1.9'):
    fault: ExceptionPayload | None


class InstanceCreatePayload(InstanceActionPayload, version='1.13'):
    keypairs: list[KeypairPayload]
    tags: list[str]
    trusted_image_certificates: list[str] | None
    instance_name: str | None


class InstanceActionRebuildPayload(InstanceActionPayload, version='1.10'):
    trusted_image_certificates: list[str] | None


class InstanceActionRescuePayload(InstanceActionPayload, version='1.4'):
    rescue_image_ref: fields.Uuid | None


class InstanceActionResizePrepPayload(InstanceActionPayload, version='1.4'):
    new_flavor: FlavorPayload | None


class InstanceActionSharePayload(InstanceActionPayload, version='1.0'):
    share_id: fields.Uuid


class InstanceActionSnapshotPayload(InstanceActionPayload, version='1.10'):
    snapshot_image_id: fields.Uuid


class InstanceActionVolumePayload(InstanceActionPayload, version='1.7'):
    volume_id: fields.Uuid


class InstanceActionVolumeSwapPayload(InstanceActionPayload, version='1.9'):
    old_volume_id: fields.Uuid
    new_volume_id: fields.Uuid


class ComputeTaskPayload(Payload, version='1.0'):
    """A server for which no host was found; who wants to know what was asked for asks for the server."""

    instance_uuid: fields.Uuid
    request_spec: fields.Json | None = None
    state: str | None
    reason: ExceptionPayload


class AuditPeriodPayload(Payload, version='1.0'):
    audit_period_beginning: str
    audit_period_ending: str


class InstanceStateUpdatePayload(Payload, version='1.0'):
    old_state: str | None
    state: str | None
    old_task_state: str | None
    new_task_state: str | None


class InstanceUpdatePayload(InstancePayload, version='2.1'):
    state_update: InstanceStateUpdatePayload
    audit_period: AuditPeriodPayload
    old_display_name: str | None
    tags: list[str]
