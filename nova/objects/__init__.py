"""Versioned records: ``objects.Instance.get(conn, uuid=...)``. Every record class is importable from here."""

from nova.objects import quota
from nova.objects.aggregate import Aggregate
from nova.objects.base import NotLoaded, Record, State
from nova.objects.block_device import BlockDeviceMapping
from nova.objects.build_request import BuildRequest
from nova.objects.cell_mapping import CellMapping
from nova.objects.compute_node import ComputeNode
from nova.objects.flavor import Flavor
from nova.objects.group import InstanceGroup
from nova.objects.host_mapping import HostMapping
from nova.objects.image_meta import ImageMeta, ImageProperties
from nova.objects.instance import Instance
from nova.objects.instance_mapping import InstanceMapping
from nova.objects.keypair import KeyPair
from nova.objects.migration import Migration
from nova.objects.move import LiveMove, Move, Placing
from nova.objects.network import NetworkRequest
from nova.objects.network_model import IP, VIF, Network, NetworkInfo, Subnet
from nova.objects.persistent import Persistent, hold
from nova.objects.progress import MigrationProgress, Progress
from nova.objects.question import ConsolePlace, GuestAnswer, GuestQuestion
from nova.objects.request_spec import Destination, RequestSpec
from nova.objects.selection import HostChoice, Selection, Selections, SelectRequest
from nova.objects.service import Service
from nova.objects.share_mapping import ShareMapping
from nova.objects.step import (
    GuestStates,
    HostBeat,
    HostEpoch,
    HostNodes,
    HostOrders,
    HostPaid,
    HostReport,
    HostStatus,
    StepCall,
    StepProgress,
    StepRef,
    StepResult,
    Wake,
)

__all__ = [
    'IP', 'VIF', 'Aggregate', 'BlockDeviceMapping', 'BuildRequest', 'CellMapping', 'ComputeNode',
    'ConsolePlace', 'Destination',
    'Flavor', 'GuestAnswer', 'GuestQuestion', 'GuestStates', 'HostBeat', 'HostChoice', 'HostEpoch',
    'HostMapping', 'HostNodes', 'HostOrders',
    'HostPaid', 'HostReport', 'HostStatus', 'ImageMeta', 'ImageProperties', 'Instance', 'InstanceGroup',
    'InstanceMapping', 'KeyPair', 'LiveMove', 'Migration', 'MigrationProgress', 'Move', 'Network',
    'NetworkInfo', 'NetworkRequest', 'NotLoaded', 'Persistent', 'Placing', 'Progress', 'Record', 'RequestSpec',
    'SelectRequest', 'Selection', 'Selections', 'Service', 'ShareMapping', 'State', 'StepCall', 'StepProgress',
    'StepRef', 'StepResult', 'Subnet', 'Wake', 'hold', 'quota',
]
