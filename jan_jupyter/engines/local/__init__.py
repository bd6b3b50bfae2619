"""What engines on this machine share: a pool of workers."""
