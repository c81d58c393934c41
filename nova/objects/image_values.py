"""What properties of images may say, one line each; anything else is refused before a server is made."""

from collections.abc import Mapping

_BUSES = 'fdc ide lxc sata scsi uml usb virtio xen'

VALUES: Mapping[str, frozenset[str]] = {name: frozenset(words.split()) for name, words in {
    'hw_architecture':
        'aarch64 alpha amd64 armv6 armv7 armv7b armv7l cris i386 i686 ia64 lm32 loongarch64 m68k microblaze '
        'microblazeel mips mips64 mips64el mipsel openrisc parisc parisc64 ppc ppc64 ppc64le ppcemb ppcle '
        'riscv64 s390 s390x sh4 sh4eb sparc sparc64 unicore32 x86_32 x86_64 xtensa xtensaeb',
    'hw_cdrom_bus': _BUSES,
    'hw_cpu_policy': 'dedicated mixed shared',
    'hw_cpu_thread_policy': 'isolate prefer require',
    'hw_disk_bus': _BUSES,
    'hw_emulator_threads_policy': 'isolate share',
    'hw_firmware_type': 'bios uefi',
    'hw_input_bus': 'ps2 usb virtio',
    'hw_maxphysaddr_mode': 'emulate passthrough',
    'hw_mem_encryption_model': 'amd-sev amd-sev-es',
    'hw_pci_numa_affinity_policy': 'legacy preferred required socket',
    'hw_pointer_model': 'usbtablet',
    'hw_rescue_bus': _BUSES,
    'hw_rescue_device': 'cdrom disk floppy lun',
    'hw_rng_model': 'virtio',
    'hw_scsi_model': 'buslogic ibmvscsi lsilogic lsisas1068 lsisas1078 virtio-scsi vmpvscsi',
    'hw_sound_model': 'ac97 es1370 ich6 ich9 pcspk sb16 usb virtio',
    'hw_tpm_model': 'tpm-crb tpm-tis',
    'hw_tpm_version': '1.2 2.0',
    'hw_video_model': 'bochs cirrus gop none qxl vga virtio vmvga xen',
    'hw_vif_model': 'e1000 e1000e igb lan9118 ne2k_pci netfront pcnet rtl8139 spapr-vlan sriov virtio '
                    'virtuale1000 virtuale1000e virtualpcnet32 virtualsriovethernetcard virtualvmxnet '
                    'virtualvmxnet3 vmxnet3',
    'hw_viommu_model': 'auto intel smmuv3 virtio',
    'hw_vm_mode': 'exe hv hvm pv uml xen',
    'hw_watchdog_action': 'disabled none pause poweroff reset',
    'img_config_drive': 'mandatory optional',
    'img_signature_hash_method': 'sha-224 sha-256 sha-384 sha-512',
    'os_secure_boot': 'disabled optional required',
}.items()}
"""In small letters; images may have them in others. Properties without a line may say what they like."""
