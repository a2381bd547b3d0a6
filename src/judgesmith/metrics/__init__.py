"""Numbers about judges: pure functions on plain sequences of labels."""

from judgesmith.metrics.agreement import accuracy, cohen_kappa, confusion, prevalence
from judgesmith.metrics.coding import Label, Verdict
from judgesmith.metrics.coverage import (
    UNPARSED,
    AgreementBounds,
    Bounds,
    agreement_bounds,
    coverage,
    mark_unparsed,
    parsed_positions,
)
from judgesmith.metrics.interval import (
    Slice,
    cluster_bootstrap_accuracy,
    cluster_bootstrap_kappa,
    cluster_bootstrap_rate,
    paired_bootstrap_kappa_difference,
    paired_bootstrap_rate_difference,
    slice_kappa_difference,
    wilson,
)
from judgesmith.metrics.length import VerbosityPreference, verbosity_preference
from judgesmith.metrics.order import (
    OrderEffects,
    agreed_verdict,
    average_distributions,
    order_averaged,
    order_effects,
    swap_verdict,
)
from judgesmith.metrics.paired import McNemar, holm, mcnemar_exact, mcnemar_p
from judgesmith.metrics.resample import ResamplingOptions
from judgesmith.metrics.result import Confusion, Estimate
from judgesmith.metrics.sample_size import labels_for_half_width, labels_for_lower_bound
from judgesmith.metrics.suppress import not_shown_because

__all__ = [
    "UNPARSED",
    "AgreementBounds",
    "Bounds",
    "Confusion",
    "Estimate",
    "Label",
    "McNemar",
    "OrderEffects",
    "ResamplingOptions",
    "Slice",
    "VerbosityPreference",
    "Verdict",
    "accuracy",
    "agreed_verdict",
    "agreement_bounds",
    "average_distributions",
    "cluster_bootstrap_accuracy",
    "cluster_bootstrap_kappa",
    "cluster_bootstrap_rate",
    "cohen_kappa",
    "confusion",
    "coverage",
    "holm",
    "labels_for_half_width",
    "labels_for_lower_bound",
    "mark_unparsed",
    "mcnemar_exact",
    "mcnemar_p",
    "not_shown_because",
    "order_averaged",
    "order_effects",
    "paired_bootstrap_kappa_difference",
    "paired_bootstrap_rate_difference",
    "parsed_positions",
    "prevalence",
    "slice_kappa_difference",
    "swap_verdict",
    "verbosity_preference",
    "wilson",
]
