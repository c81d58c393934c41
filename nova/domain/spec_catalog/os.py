"""Firmware and security of the guest."""

from nova.domain.spec_catalog import Choice, Spec

SPECS = [Spec('os:secure_boot', Choice(('disabled', 'optional', 'required')), 'UEFI secure boot.')]
