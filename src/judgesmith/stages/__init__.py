"""One module per step of the pipeline; they never import each other.

Every stage module has VERSION (raised by hand when results change), `Config`, `inputs(config)`
and `OUTPUTS` (files of the run, as `stage/file`), `outside(config)` (files from outside the run)
and `run(config, run_dir, models) -> StageReport`. The order of stages is in `pipeline.STAGES`.
"""
