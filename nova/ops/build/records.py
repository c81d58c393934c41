"""From an order that was found right to the records of its servers."""

import secrets
import string
from collections.abc import Callable, Sequence

from oslo_config import cfg

from nova import objects
from nova.common import clock, uuids
from nova.common.jsonutil import JsonObject
from nova.domain import bdm, hostnames
from nova.domain.placement_request import MULTIATTACH
from nova.ops.build import prepare
from nova.rest import types
from nova.states import VM, Task
from nova.task.handles import Request

Server = tuple[objects.Instance, objects.RequestSpec]
"""A server that is to be made, and what it needs."""


def make(req: Request, order: prepare.Order) -> list[Server]:
    """As many servers as were asked for at most."""
    reservation = reservation_id()
    return [_server(req, order, reservation, index if order.high > 1 else None) for index in range(order.high)]


def reservation_id() -> str:
    """What the servers of one request have in common: ``r-`` and eight characters."""
    return 'r-' + ''.join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8))


def _server(req: Request, order: prepare.Order, reservation: str, index: int | None) -> Server:
    server, uuid = order.server, uuids.generate()
    devices = [device.copy() for device in order.devices]
    instance = objects.Instance.new(
        uuid=uuid, project_id=req.context.project_id, user_id=req.context.user_id, created_at=clock.utcnow(),
        vm_state=str(VM.BUILDING), task_state=str(Task.SCHEDULING), reservation_id=reservation,
        launch_index=index or 0, flavor=order.flavor, image_ref=order.image_ref or None, image_meta=order.image,
        kernel_id=order.image.properties.kernel_id, ramdisk_id=order.image.properties.ramdisk_id,
        display_name=hostnames.display_name(server['name'], index),
        display_description=server.get('description') if req.at('2.19') else server['name'],
        hostname=server.get('hostname') or hostnames.hostname(server['name'], uuid, index),
        keypair=order.keypair, key_name=order.keypair.name if order.keypair else None,
        user_data=server.get('user_data'), config_drive=wants_config_drive(req.conf, server, order.image),
        access_ip_v4=types.canonical_ip(server.get('accessIPv4')),
        access_ip_v6=types.canonical_ip(server.get('accessIPv6')),
        auto_disk_config=_auto_disk_config(server, order.image), availability_zone=order.target.zone,
        root_device_name=order.root_device, block_devices=devices,
        default_ephemeral_device=_first_name(devices, bdm.is_ephemeral),
        default_swap_device=_first_name(devices, bdm.is_swap),
        metadata=dict(server.get('metadata') or {}), tags=list(dict.fromkeys(server.get('tags') or ())),
        trusted_certs=server.get('trusted_image_certificates'))
    return instance, _spec(order, instance)


def wants_config_drive(conf: cfg.ConfigOpts, server: JsonObject, image: objects.ImageMeta) -> bool:
    """Whether the guest gets a drive with its metadata: the user, the image or the operator says so."""
    return (types.is_true(server.get('config_drive')) or conf.force_config_drive
            or image.properties.img_config_drive == 'mandatory')


def _auto_disk_config(server: JsonObject, image: objects.ImageMeta) -> bool:
    asked = server.get('OS-DCF:diskConfig')
    return bool(image.properties.auto_disk_config) if asked is None else asked == 'AUTO'


def _first_name(devices: Sequence[objects.BlockDeviceMapping],
                kind: Callable[[objects.BlockDeviceMapping], bool]) -> str | None:
    return next((device.device_name for device in devices if kind(device)), None)


def _spec(order: prepare.Order, instance: objects.Instance) -> objects.RequestSpec:
    target = order.target
    asked = None if target.forced or not (target.host or target.node) else objects.Destination(
        host=target.host, node=target.node)
    return objects.RequestSpec(
        instance_uuid=instance.uuid, project_id=instance.project_id, user_id=instance.user_id,
        flavor=order.flavor, image=order.image, availability_zone=target.zone,
        force_hosts=[target.host] if target.forced and target.host else [],
        force_nodes=[target.node] if target.forced and target.node else [],
        requested_destination=asked, scheduler_hints=order.hints, instance_group=order.group,
        requested_networks=order.networks, security_groups=order.security_groups,
        is_bfv=bdm.volume_backed(order.devices),
        requested_resources=[*([{'suffix': '', 'required': [MULTIATTACH]}] if order.shares else []),
                             *(claim for request in order.networks for claim in request.claims)])
