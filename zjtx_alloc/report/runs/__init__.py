"""Runs: a scenario to a folder of files bound to its inputs."""
