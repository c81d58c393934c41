"""What the libvirt driver can do, by the tests that show it; doc/source/user/features.rst is made of it.

    python -m nova.tests.virt.features      writes the page
"""

import ast
import dataclasses
import pathlib

HERE = pathlib.Path(__file__).parent
PAGE = pathlib.Path(__file__).parents[3] / 'doc' / 'source' / 'user' / 'features.rst'

MODULES = PROTOCOL, GUESTS, CRASHES, VOLUMES, TPMS, *_ = (
    'test_protocol', 'test_libvirt_guests', 'test_libvirt_crashes', 'test_libvirt_volumes', 'test_libvirt_tpms',
    'test_libvirt_xml', 'test_claims', 'test_connectors', 'test_mounts', 'test_reporting', 'test_signed_images')


@dataclasses.dataclass(frozen=True)
class Feature:
    """`tests` are ``module.function``; none is missing, and `why` says more."""

    name: str
    tests: tuple[str, ...] = ()
    why: str = ''


def _feature(name, why='', **tests):
    return Feature(name, tuple(f'{module}.test_{test}' for module, named in tests.items()
                               for test in named.split()), why)


LIFE = 'the_life_of_a_guest'
FEATURES = (
    _feature('Boot from an image', test_protocol='a_guest_is_made_once a_cancelled_build_leaves_no_guest',
             test_libvirt_guests=LIFE),
    _feature('Boot from a volume', test_libvirt_guests='a_live_migration_that_takes_its_time',
             test_libvirt_xml='domain'),
    _feature('Ephemeral and swap disks', test_libvirt_guests='disks_of_every_kind'),
    _feature('Config drive, user data, key pairs, personality files', test_libvirt_guests=LIFE),
    _feature('Start, stop with ACPI', test_protocol='power_is_repeatable', test_libvirt_guests=LIFE),
    _feature('Pause, suspend', test_protocol='power_is_repeatable what_a_guest_that_is_off_cannot_do'),
    _feature('Reboot, soft and hard', test_protocol='a_hard_reboot_is_a_way_out_of_anything'),
    _feature('Rescue', test_protocol='rescue'),
    _feature('Console log', test_protocol='looking_at_a_guest', test_libvirt_guests=LIFE),
    _feature('VNC console', test_protocol='looking_at_a_guest', test_libvirt_guests=LIFE),
    _feature('SPICE console', test_libvirt_xml='domain'),
    _feature('Serial console over TCP', test_libvirt_guests='a_serial_console_can_be_talked_to'),
    _feature('Diagnostics', test_protocol='looking_at_a_guest'),
    _feature('Crash dump', test_protocol='looking_at_a_guest'),
    _feature('Administrator password by the agent', test_protocol='a_password_needs_an_agent',
             test_libvirt_guests=LIFE),
    _feature('Image of a server, running or not, quiesced', test_protocol='an_image_of_a_server',
             test_libvirt_guests=LIFE),
    _feature('Attach and detach volumes', test_protocol='volumes_of_a_guest_that_is_off '
             'devices_come_and_go_while_a_guest_runs connections_are_the_hosts_to_remember'),
    _feature('Swap a volume', test_protocol='a_volume_is_swapped_under_a_guest'),
    _feature('Extend a volume', test_protocol='devices_come_and_go_while_a_guest_runs'),
    _feature('Volumes on RBD, iSCSI, Fibre Channel, NVMe-oF', test_libvirt_xml='domain',
             test_connectors='which_disk_comes_of_it who_opens_a_volume_on_rbd'),
    _feature('Volumes on shares of NFS', test_libvirt_volumes='volumes_on_shares '
             'a_qcow2_volume_on_a_share_gets_snapshots'),
    _feature('Shares of NFS and CephFS by virtiofs', test_protocol='a_share_comes_to_a_guest_that_is_off '
             'shares_of_a_guest_that_is_gone', test_mounts='a_share_of_nfs a_share_of_ceph'),
    _feature('Multipath, enforced or not',
             test_connectors='what_os_brick_is_told what_a_host_tells_the_volume_service'),
    _feature('Volumes encrypted by LUKS', test_libvirt_volumes='an_encrypted_volume '
             'an_encrypted_volume_is_swapped an_encrypted_volume_goes_along '
             'a_host_needs_nobody_for_a_key_that_it_has'),
    _feature('Interfaces on Linux bridges', test_protocol='devices_come_and_go_while_a_guest_runs',
             test_libvirt_guests='two_guests_reach_each_other nothing_is_left_on_the_host'),
    _feature('Interfaces on Open vSwitch', test_libvirt_xml='domain'),
    _feature('SR-IOV interfaces: direct, macvtap, direct-physical',
             test_libvirt_xml='domain devices_of_the_host',
             test_claims='ports_that_are_devices a_guest_gets_the_devices_again_that_it_had'),
    _feature('Cold migration', test_protocol='a_cold_migration'),
    _feature('Resize, also in place', test_protocol='a_resize_in_place a_disk_does_not_shrink'),
    _feature('Live migration with local disks', test_protocol='a_live_migration live_migrations_that_cannot_be',
             test_libvirt_guests='what_a_guest_has_written_is_there_after_a_live_migration'),
    _feature('Live migration encrypted by QEMU (native TLS)',
             test_libvirt_guests='what_a_guest_has_written_is_there_after_a_live_migration '
             'migrations_are_tunnelled_or_encrypted where_a_destination_is_reached'),
    _feature('Live migration tunnelled by libvirt; auto-converge',
             test_libvirt_guests='a_live_migration_that_takes_its_time'),
    _feature('Abort, force-complete, post-copy', test_protocol='a_live_migration_that_is_called_off',
             test_libvirt_guests='a_live_migration_that_takes_its_time'),
    _feature('libvirtd restarts under guests', test_libvirt_guests='libvirtd_is_killed_while_guests_run'),
    _feature('The agent dies in the middle of anything', test_libvirt_crashes='spawning_and_removing '
             'a_half_made_guest_is_removed migrating_out',
             test_libvirt_volumes='the_process_dies_while_it_brings_a_key'),
    _feature('Guests start again after their host', test_protocol='a_host_that_was_booted_needs_nobody'),
    _feature('Evacuation', test_protocol='a_host_returns_whose_server_was_evacuated'),
    _feature('Lifecycle events', test_protocol='events',
             test_libvirt_guests='libvirtd_is_killed_while_guests_run'),
    _feature('Pinned CPUs, NUMA cells, huge pages', test_libvirt_xml='domain',
             test_claims='cpus_are_given_once cells_of_the_guest_are_on_cells_of_the_host pages'),
    _feature('NUMA cells in Placement', test_claims='cells_that_placement_has_given which_cell_is_which'),
    _feature('PCI passthrough, also held in Placement', test_libvirt_xml='domain',
             test_claims='devices devices_that_have_to_be_near',
             test_reporting='device_providers'),
    _feature('Signed images, trusted certificates', test_signed_images='what_was_signed whose_signature_counts '
             'the_cache_has_what_was_signed other_bytes_are_not_kept'),
    _feature('UEFI, secure boot', test_libvirt_xml='domain'),
    _feature('vGPU (mediated devices)', test_libvirt_xml='domain mediated_devices_of_the_host',
             test_claims='mediated_devices types_of_one_class_are_refused'),
    _feature('Emulated TPM, encrypted; moves, live and not', test_libvirt_tpms='a_tpm it_moves_while_it_is_off '
             'it_moves_while_the_guest_runs another_tpm_would_not_be_opened', test_libvirt_xml='domain'),
    _feature('Guests with encrypted memory (SEV)',
             why='nothing here could try it: it takes an EPYC processor and KVM'),
)


def known():
    """Every test there is, as ``module.function``."""
    return {f'{module}.{node.name}' for module in MODULES
            for node in ast.parse((HERE / f'{module}.py').read_text(encoding='utf-8')).body
            if isinstance(node, ast.FunctionDef) and node.name.startswith('test_')}


def state(feature):
    """mature: a real guest did it; experimental: only what libvirt is told was looked at; missing: no test."""
    if not feature.tests:
        return 'missing'
    real = any(test.startswith((PROTOCOL, GUESTS, CRASHES, VOLUMES, TPMS)) for test in feature.tests)
    return 'mature' if real else 'experimental'


def page():
    """The page."""
    head = '''===========================
What the hypervisors can do
===========================

The driver ``libvirt.LibvirtDriver`` is tested with real guests of QEMU on two hosts (``tools/test libvirt``),
by the same tests that the simulated one, ``fake.FakeDriver``, is held to. This page is made from the tests
(``nova/tests/virt/features.py``); a test fails when it is not.

mature
    a real guest does it in a test that runs on every change.
experimental
    a test compares what libvirt is told; no guest has done it here.
missing
    there is no such thing yet.

.. list-table::
   :header-rows: 1
   :widths: 40 15 45

   * - Feature
     - libvirt
     - Tests
'''
    rows = []
    for feature in FEATURES:
        tests = ', '.join(f'``{test.partition(".test_")[2]}``' for test in feature.tests) or feature.why
        rows.append(f'   * - {feature.name}\n     - {state(feature)}\n     - {tests}\n')
    return head + ''.join(rows)


if __name__ == '__main__':
    PAGE.write_text(page(), encoding='utf-8')
