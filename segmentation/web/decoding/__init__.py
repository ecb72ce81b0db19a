"""Reading images of strangers in a process apart."""
