"""The quota engine against its peers, all in one run: one problem, many scenarios, classical apportionment.

Run with ``python benchmarks/quota.py`` where the package and ``benchmarks/requirements.txt`` are installed; takes
about twenty minutes, most of them peers that run into their limit. Each part also runs alone.
"""

import apportion
import engine
import many


def main() -> None:
    for part in (engine, many, apportion):
        print(f"\n== {part.__name__}: {part.__doc__.splitlines()[0]}", flush=True)
        part.main()


if __name__ == "__main__":
    main()
