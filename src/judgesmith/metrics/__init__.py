"""Numbers about judges: pure functions on plain sequences of labels."""

from judgesmith.metrics.agreement import accuracy, cohen_kappa, confusion, prevalence
from judgesmith.metrics.alternative_annotator import (
    AlternativeAnnotatorTest,
    AnnotatorComparison,
    alternative_annotator_test,
    benjamini_yekutieli,
)
from judgesmith.metrics.bootstrap import cluster_bootstrap, paired_cluster_bootstrap
from judgesmith.metrics.bradley_terry import bradley_terry
from judgesmith.metrics.calibration import (
    CalibrationEffect,
    IsotonicMap,
    ProbabilityRows,
    Temperature,
    calibrate_and_measure,
    fit_isotonic,
    fit_temperature,
)
from judgesmith.metrics.calibration_choice import (
    CalibrationChoice,
    VerdictRows,
    calibrated,
    choose_calibration,
)
from judgesmith.metrics.calibration_error import (
    CalibrationBin,
    CalibrationError,
    expected_calibration_error,
)
from judgesmith.metrics.coding import Label, Verdict
from judgesmith.metrics.correlation import (
    exact_match,
    kendall_tau_b,
    mean_absolute_error,
    pearson,
    spearman,
)
from judgesmith.metrics.coverage import (
    UNPARSED,
    AgreementBounds,
    Bounds,
    agreement_bounds,
    coverage,
    mark_unparsed,
    parsed_positions,
)
from judgesmith.metrics.dawid_skene import DawidSkene, dawid_skene
from judgesmith.metrics.fidelity import RepeatedErrors, repeats_teacher_errors
from judgesmith.metrics.flips import (
    FlipKinds,
    FlipMatrix,
    PrimacyRecency,
    flip_kinds,
    flip_matrix,
    primacy_recency,
)
from judgesmith.metrics.interval import (
    cluster_bootstrap_accuracy,
    cluster_bootstrap_kappa,
    cluster_bootstrap_rate,
    paired_bootstrap_kappa_difference,
    paired_bootstrap_rate_difference,
    wilson,
)
from judgesmith.metrics.length import VerbosityPreference, verbosity_preference
from judgesmith.metrics.length_control import LengthControlledAgreement, length_controlled_agreement
from judgesmith.metrics.length_win_rate import LengthControlledWinRate, length_controlled_win_rate
from judgesmith.metrics.order import (
    OrderEffects,
    agreed_verdict,
    average_distributions,
    likelihood_aware,
    order_averaged,
    order_effects,
    swap_verdict,
)
from judgesmith.metrics.paired import McNemar, holm, mcnemar_exact, mcnemar_p
from judgesmith.metrics.panel import KappaMatrix, PairAgreement, kappa_matrix, panel_verdict
from judgesmith.metrics.panel_errors import (
    EffectiveVotes,
    ErrorCorrelation,
    PairCorrelation,
    effective_votes,
    error_correlation,
)
from judgesmith.metrics.panel_members import LeaveOneOut, MemberValue, leave_one_out
from judgesmith.metrics.power import (
    detectable_from_interval,
    mcnemar_power,
    minimum_detectable_difference,
)
from judgesmith.metrics.probability import brier, brier_binary, log_loss
from judgesmith.metrics.probes import (
    Probe,
    ProbeDifference,
    consistency_probe,
    longer_probe,
    position_bias_probe,
    probe_difference,
)
from judgesmith.metrics.raters import fleiss_kappa, krippendorff_alpha
from judgesmith.metrics.repeatability import (
    PositionApart,
    Repeatability,
    position_apart,
    repeatability,
    self_consistency,
)
from judgesmith.metrics.resample import ResamplingOptions
from judgesmith.metrics.result import Confusion, Estimate, Headline
from judgesmith.metrics.risk_coverage import RiskCoverage, RiskPoint, risk_coverage
from judgesmith.metrics.sample_size import labels_for_half_width, labels_for_lower_bound
from judgesmith.metrics.score_and_pair import ConflictRatio, ThreeWay, conflict_ratio, three_way
from judgesmith.metrics.selective import Abstention, abstention, one_per_cluster
from judgesmith.metrics.slices import Slice, slice_kappa_difference
from judgesmith.metrics.styles import StyleCell, StyleMatrix, style_matrix
from judgesmith.metrics.suppress import not_shown_because
from judgesmith.metrics.system_ranking import Comparison, Duel, Ranked, Standing, rank_systems
from judgesmith.metrics.ties import accuracy_with_ties
from judgesmith.metrics.transitivity import (
    NonTransitivity,
    non_transitivity,
    non_transitivity_sweep,
)
from judgesmith.metrics.weighted import gwet_ac1, scott_pi, weighted_kappa

__all__ = [
    "UNPARSED",
    "Abstention",
    "AgreementBounds",
    "AlternativeAnnotatorTest",
    "AnnotatorComparison",
    "Bounds",
    "CalibrationBin",
    "CalibrationChoice",
    "CalibrationEffect",
    "CalibrationError",
    "Comparison",
    "ConflictRatio",
    "Confusion",
    "DawidSkene",
    "Duel",
    "EffectiveVotes",
    "ErrorCorrelation",
    "Estimate",
    "FlipKinds",
    "FlipMatrix",
    "Headline",
    "IsotonicMap",
    "KappaMatrix",
    "Label",
    "LeaveOneOut",
    "LengthControlledAgreement",
    "LengthControlledWinRate",
    "McNemar",
    "MemberValue",
    "NonTransitivity",
    "OrderEffects",
    "PairAgreement",
    "PairCorrelation",
    "PositionApart",
    "PrimacyRecency",
    "ProbabilityRows",
    "Probe",
    "ProbeDifference",
    "Ranked",
    "Repeatability",
    "RepeatedErrors",
    "ResamplingOptions",
    "RiskCoverage",
    "RiskPoint",
    "Slice",
    "Standing",
    "StyleCell",
    "StyleMatrix",
    "Temperature",
    "ThreeWay",
    "VerbosityPreference",
    "Verdict",
    "VerdictRows",
    "abstention",
    "accuracy",
    "accuracy_with_ties",
    "agreed_verdict",
    "agreement_bounds",
    "alternative_annotator_test",
    "average_distributions",
    "benjamini_yekutieli",
    "bradley_terry",
    "brier",
    "brier_binary",
    "calibrate_and_measure",
    "calibrated",
    "choose_calibration",
    "cluster_bootstrap",
    "cluster_bootstrap_accuracy",
    "cluster_bootstrap_kappa",
    "cluster_bootstrap_rate",
    "cohen_kappa",
    "conflict_ratio",
    "confusion",
    "consistency_probe",
    "coverage",
    "dawid_skene",
    "detectable_from_interval",
    "effective_votes",
    "error_correlation",
    "exact_match",
    "expected_calibration_error",
    "fit_isotonic",
    "fit_temperature",
    "fleiss_kappa",
    "flip_kinds",
    "flip_matrix",
    "gwet_ac1",
    "holm",
    "kappa_matrix",
    "kendall_tau_b",
    "krippendorff_alpha",
    "labels_for_half_width",
    "labels_for_lower_bound",
    "leave_one_out",
    "length_controlled_agreement",
    "length_controlled_win_rate",
    "likelihood_aware",
    "log_loss",
    "longer_probe",
    "mark_unparsed",
    "mcnemar_exact",
    "mcnemar_p",
    "mcnemar_power",
    "mean_absolute_error",
    "minimum_detectable_difference",
    "non_transitivity",
    "non_transitivity_sweep",
    "not_shown_because",
    "one_per_cluster",
    "order_averaged",
    "order_effects",
    "paired_bootstrap_kappa_difference",
    "paired_bootstrap_rate_difference",
    "paired_cluster_bootstrap",
    "panel_verdict",
    "parsed_positions",
    "pearson",
    "position_apart",
    "position_bias_probe",
    "prevalence",
    "primacy_recency",
    "probe_difference",
    "rank_systems",
    "repeatability",
    "repeats_teacher_errors",
    "risk_coverage",
    "scott_pi",
    "self_consistency",
    "slice_kappa_difference",
    "spearman",
    "style_matrix",
    "swap_verdict",
    "three_way",
    "verbosity_preference",
    "weighted_kappa",
    "wilson",
]
