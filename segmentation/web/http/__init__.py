"""HTTP: requests are received whole before a thread works on them, whoever sends them slowly."""
