"""`make bench`: speed and memory, to bench.json and a table. `--no-cluster`, `--no-cold` leave the slow parts out."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from tests.bench import app, board, certificates, cluster, load, panes, terminal


def main() -> int:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--no-cluster", action="store_true", help="only the app")
    parser.add_argument("--no-cold", action="store_true", help="not the cluster's first `up` with an empty cache")
    parser.add_argument("-o", "--output", default="bench.json")
    args = parser.parse_args()
    found: dict[str, object] = {
        "machine": {
            "cores": psutil.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
            "kernel": platform.release(),
            "python": platform.python_version(),
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    }
    parts = {
        "first_paint": app.first_paint,
        "at_rest": app.at_rest,
        "death_to_frame": app.death_to_frame,
        "pane_update": app.pane_update,
        "pane_draw": panes.pane_draw,
        "terminal_output": terminal.output,
        "terminal_keys": terminal.keys,
        "new_certificate": certificates.new_certificate,
        "board": board.board,
    }
    for name, measure in parts.items():
        print(f"measuring {name}", file=sys.stderr)
        found[name] = measure()
    print("measuring load", file=sys.stderr)
    rows = load.bench_load()
    found["load"] = rows
    if not args.no_cluster:
        print("measuring cluster", file=sys.stderr)
        found["cluster"] = cluster.measure(cold=not args.no_cold)
    Path(args.output).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    table = Table("what", "figure", "value", title="swarmlab bench")
    for name, figures in found.items():
        if name == "load":
            continue
        assert isinstance(figures, dict)
        for key, value in figures.items():
            table.add_row(name, key, str(value))
    for row in rows:
        figures = ", ".join(f"{key} {value}" for key, value in row.items() if key not in ("by", "asked"))
        table.add_row("load", f"{row['asked']}/s by {row['by']}", figures)
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
