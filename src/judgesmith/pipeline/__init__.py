"""The whole road: stages in order, and the other ways to compose the same parts."""

from judgesmith.pipeline.judges import open_judge
from judgesmith.pipeline.order import STAGES, load_stage
from judgesmith.pipeline.recipes import (
    find_recipe,
    open_run,
    read_recipe,
    shipped_recipes,
    start_run,
)
from judgesmith.pipeline.running import (
    Standing,
    State,
    check_until,
    require_fresh,
    run_recipe,
    standing,
    survey,
)

__all__ = [
    "STAGES",
    "Standing",
    "State",
    "check_until",
    "find_recipe",
    "load_stage",
    "open_judge",
    "open_run",
    "read_recipe",
    "require_fresh",
    "run_recipe",
    "shipped_recipes",
    "standing",
    "start_run",
    "survey",
]
