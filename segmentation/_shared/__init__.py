"""What every room may use: threads, registers, caches, tiles, checks of what strangers send."""
