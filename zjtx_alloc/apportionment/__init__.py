"""The classical methods of apportionment."""
