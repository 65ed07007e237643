"""The benchmark: what the gate costs, measured on the real engine. `make bench` runs it."""
