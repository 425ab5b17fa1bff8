"""`monday-mix-dbt`: dbt on the warehouse project as it was parsed once, whatever the home and the week.

Belongs here: dbt's own entry point, given what was parsed. Does not: when to parse (dbt_manifest.py), what is asked of
dbt (assets/warehouse.py).
"""

import contextlib
import gc
import os
import sys
from typing import Any

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt.parser.manifest import extended_mashumuro_decoder
from dbt_common.events.base_types import EventMsg
from dbt_common.events.functions import env_scrubber, msg_to_json

from dagster_project.dbt_manifest import ensure_parsed, fill
from models_ml.errors import MondayMixError


def main() -> int:
    """Dbt's command line, run in `warehouse/`; takes its arguments and environment, and gives its exit status.

    0 where all went well, 1 where a model or a test failed, 2 where dbt could not begin.
    """
    try:
        parsed = ensure_parsed()
    except MondayMixError as error:
        print(error, file=sys.stderr)
        return 2
    # A call holds what it reads until it ends: looking through all of it for what may go took a tenth of its time.
    gc.disable()
    arguments, told = sys.argv[1:], []
    if "DAGSTER_DBT_CLI" in os.environ:
        arguments, told = [*arguments, "--log-level", "none"], [_tell_dagster]
    manifest = Manifest.from_msgpack(parsed.read_bytes(), decoder=_of_this_call)
    result = dbtRunner(manifest=manifest, callbacks=told).invoke(arguments)
    gc.freeze()  # or Python, disabled as that is, looks through all of it at its end: 0.2 s
    if result.exception is not None:
        print(result.exception, file=sys.stderr)
        return 2
    return 0 if result.success else 1


def _of_this_call(data: Any) -> dict[Any, Any]:
    manifest: dict[Any, Any] = fill(extended_mashumuro_decoder(data), os.environ)
    return manifest


def _tell_dagster(event: EventMsg) -> None:
    """The lines of JSON that dagster-dbt reads, as dbt writes them.

    dbt itself puts every event in words and then drops those below its level, nine of ten: half a second a call.
    """
    if event.info.level == "debug":
        return
    with contextlib.suppress(BrokenPipeError):  # who read it was killed: what was begun is brought to its end
        sys.stdout.write(f"{env_scrubber(msg_to_json(event))}\n")  # in one piece: two threads tell
        sys.stdout.flush()
