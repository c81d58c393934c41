"""createImage and createBackup: an image of a server, and of backups no more than its owner wants."""
