"""Guests of QEMU, through libvirt.

A guest is described once, as a `spec.Guest` (``describe``); domain XML, devices to plug in, and what the
destination of a migration changes are rendered from that (``xml``). Files of a guest are below
``instances_path``/UUID; what connects it to volumes is in the host's journal.
"""
