"""A cloud of the real services on loopback: Keystone, Glance, Neutron and Cinder from PyPI beside ours.

    deployment.py   what it is made of: a cluster (tools/lib/cluster_config.py) with other neighbours
    neighbour.py    what each neighbour has: files, commands that fill its database, processes
    keystone.py  glance.py  neutron.py  cinder.py
    cloud.py        from nothing to servers that can be booted; again to nothing
    population.py   users, services, endpoints; networks, images, volume types
    faults.py       how the neighbours are told to misbehave
    plugins/   run in the virtual environment of the neighbours
    tempest.py  tempest_conf.py  expectations.py  expected.yaml   tempest against it
"""
