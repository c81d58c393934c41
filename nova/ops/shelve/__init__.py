"""shelve, shelveOffload and unshelve: a server that is off for a while, and needs no host meanwhile."""
