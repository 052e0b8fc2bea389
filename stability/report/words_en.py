"""The English sentences of the report."""

from __future__ import annotations

ENGLISH = {
    "comma": ", ",
    "title": "Divergence report: {study}",
    # headings
    "h_answer": "The answer",
    "h_compared": "What was compared",
    "h_knobs": "What the knobs do",
    "h_numbers": "Numbers",
    "h_comparison": "Comparison",
    "h_rates": "Divergence",
    "h_yardstick_epochs": "Yardstick per epoch",
    "h_train_epochs": "Printed training losses per epoch",
    "h_first_bad": "First bad steps",
    "h_search": "Search",
    "h_curve": "Along {param}",
    "h_recommendation": "Recommendation",
    "h_key_settings": "Key settings, to copy",
    "h_trials": "All trials",
    "h_limits": "What was not shown, and limits",
    "h_failures": "Infrastructure failures",
    "h_undecided": "Undecided trials",
    "h_reproduce": "How to reproduce",
    # cells and column heads
    "na": "n/a",
    "failed": "failed",
    "undecided": "undecided",
    "not_comparable": "not comparable",
    "comparable": "yes",
    "reason_cell": "not comparable: {reason}",
    "no_improvement": "none shown",
    "better": "{factor}× better",
    "worse": "{factor}× worse",
    "factor_cell": "{factor} [{interval}]",
    "factor_bare": "{factor} [no interval]",
    "nonfinite_cell": "{count} non-finite",
    "partly_nonfinite": "{mean}; {count} non-finite",
    "none_reached": "no trial got here",
    "differs": "≠",
    "arm_baseline": "{arm} (baseline)",
    "arm_treatment": "{arm} (treatment)",
    "col_setting": "Setting",
    "col_differs": "Differs?",
    "col_live": "Does it change the training?",
    "col_metric": "Metric",
    "col_factor": "Factor [95% interval]",
    "col_improvement": "Improvement",
    "col_comparable": "Comparable?",
    "col_arm": "Arm",
    "col_n": "n",
    "col_diverged": "Diverged",
    "col_rate": "Rate",
    "col_interval": "95% interval",
    "col_upper": "At most (95%, one-sided)",
    "col_median_steps": "Median steps to divergence",
    "col_failures": "Infrastructure failures",
    "col_undecided": "Undecided",
    "col_epoch": "Epoch",
    "col_trial": "Trial",
    "col_seed": "Seed",
    "col_step": "Step",
    "col_kind": "What",
    "evidence_value": "{value}",
    "evidence_limit": "{value} (limit {limit})",
    "col_verdict": "Verdict",
    "col_final": "Yardstick at the end",
    "lost": "lost",
    "lost_at": "lost ({value})",
    "col_where": "Where",
    "col_evidence": "Evidence",
    "col_outcome": "Outcome",
    "col_error": "Error",
    "col_component": "Component",
    "col_definition": "How it is computed",
    "col_item": "Item",
    "col_value": "Value",
    "before_training": "before training",
    "first_epoch": "{epoch} (first)",
    "trial_cell": "{stage} #{number}",
    # metrics
    "metric_yardstick_final": "Yardstick {component}, last epoch",
    "metric_yardstick_first": "Yardstick {component}, first epoch",
    "metric_train_first": "Printed {component}, first epoch",
    "reason_same": "same definition",
    "reason_definitions": "definitions differ",
    "reason_weights": "loss weights differ",
    "reason_unrecorded": "definition not recorded",
    "name_mcnemar": "exact McNemar",
    "name_barnard": "Barnard",
    "name_newcombe_paired": "Newcombe hybrid score, paired",
    "name_newcombe_unpaired": "Newcombe hybrid score, unpaired",
    "name_bca": "BCa bootstrap",
    "name_student": "Student t on the log ratios",
    "name_one_pair": "none, fewer than two pairs",
    "name_all_equal": "none, every pair has the same ratio",
    # the answer
    "answer_nothing": "No trial has given evidence yet, so nothing can be said.",
    "answer_more": "{more} diverged more often than {less}: {k_more} of {n_more} trials against {k_less}"
    " of {n_less}, within at most {steps} steps ({test}, {p}).",
    "answer_more_open": "With the {counted} failed and undecided trials counted against it, that difference is not shown ({p}).",
    "answer_failing": "The trials of {more} failed more often than those of {less} ({kinds}): {k_more} of {n_more} against"
    " {k_less} of {n_less} ({test}, {p}). Whether they would have diverged is not known.",
    "counted_worst": "{arm}: upper bounds on its divergence rate count {failed} failed and {undecided} undecided trials as"
    " diverged, lower bounds as not diverged.",
    "answer_no_difference": "No difference in divergence was shown: {k_baseline} of {n_baseline} trials"
    " of {baseline} and {k_treatment} of {n_treatment} of {treatment} diverged within at most {steps}"
    " steps ({test}, {p}); true rates of up to {upper_baseline} and {upper_treatment} are still"
    " compatible (95% confidence each).",
    "answer_insufficient": "Insufficient evidence on divergence: {baseline} diverged in {k_baseline} of"
    " {n_baseline} trials and {treatment} in {k_treatment} of {n_treatment}; up to {upper_baseline} and"
    " {upper_treatment} divergence is still compatible.",
    "answer_one_trial": "{arm}: insufficient evidence: up to {upper} divergence is still compatible.",
    "answer_arm": "{arm} diverged in {k} of {n} trials within at most {steps} steps; up to {upper}"
    " divergence is still compatible.",
    "answer_arms": "Over {arms} arms, {k} of {n} trials diverged within at most {steps} steps.",
    "answer_arm_missing": "No trial of {arm} gave evidence, so the two cannot be compared.",
    "answer_yardstick_lower": "On the yardstick after the last epoch, {treatment} was lower: {factor}"
    " times {baseline} (95% interval {interval}, {pairs} pairs that finished), ahead in {wins} of"
    " {ranked} pairs.",
    "answer_yardstick_higher": "On the yardstick after the last epoch, {treatment} was higher: {factor}"
    " times {baseline} (95% interval {interval}, {pairs} pairs that finished), ahead in {wins} of"
    " {ranked} pairs.",
    "answer_yardstick_none": "On the yardstick after the last epoch no difference was shown: {treatment}"
    " stood at {factor} times {baseline} (95% interval {interval}, {pairs} pairs that finished), ahead in"
    " {wins} of {ranked} pairs.",
    "answer_yardstick_bare": "On the yardstick after the last epoch, {treatment} stood at {factor} times"
    " {baseline} in {pairs} pairs; that is too little for an interval.",
    "answer_inside": "The {value} of {arm} lies {distance} inside {bound}, within which P(diverge within {steps} steps)"
    " < {risk} is {confidence} credible.",
    "answer_outside": "The {value} of {arm} lies {distance} outside {bound}, within which P(diverge within {steps}"
    " steps) < {risk} is {confidence} credible.",
    "answer_culprit": "Which setting: with {param} of the other arm alone, on fresh seeds, {arm} stands at {ratio}"
    " times its yardstick (95% interval {interval}, {pairs} pairs), and its divergence rate changes by {rate} (95%"
    " interval {rate_interval}).",
    "answer_culprit_rate": "Which setting: with {param} of the other arm alone, on fresh seeds, the divergence rate of"
    " {arm} changes by {rate} (95% interval {rate_interval}).",
    "answer_part": "Which setting: a part in the difference is shown of {names}, not confirmed on fresh seeds.",
    "answer_part_diverged": "A part in the difference of divergence is shown of {names}.",
    "answer_part_yardstick": "A part in the difference of the yardstick, among trials that finished, is shown of"
    " {names}.",
    "answer_part_boundary": "A part in the shift of the boundary is shown of {names}.",
    "answer_no_effect": "No effect was shown of {names}.",
    "answer_no_culprit": "Which setting: no effect was shown of any ({names}).",
    "answer_search_none": "In the search, none of {n} trials diverged within at most {steps} steps.",
    "answer_search_some": "In the search, {k} of {n} trials diverged within at most {steps} steps.",
    "answer_search_edge": "In the search, {k} of {n} trials diverged within at most {steps} steps: the"
    " smallest diverged {param} was {value}, with {clear} trials below it.",
    # what was compared
    "preset_difference": "{baseline} and {treatment} differ in {count} settings at once ({names}). Every"
    " difference below is a preset difference and is not evidence about any single setting.",
    "preset_difference_asked": "{baseline} and {treatment} differ in {count} settings at once ({names}). What is compared"
    " are the presets; which of their settings made a difference is a question of its own below.",
    "single_difference": "{baseline} and {treatment} differ in one setting, {names}, and share their seeds.",
    "same_settings": "{baseline} and {treatment} have the same settings.",
    "paired_seeds": "Trial k of every arm has the same seed, from which the built-in trainer draws initial weights,"
    " data order and noise.",
    "imported_runs": "These runs were finished before and read from their logs, each up to its first lost step. Only those with"
    " the same known seed are taken for pairs; what their parameters do not name may differ too.",
    "trial_means": "Budget of a trial: {epochs} epochs, batch size {batch}, corpus {corpus}, model"
    " {model}, trainer {trainer}; the longest took {steps} steps.",
    "yardstick_is": "Yardstick: {formula}, with the same weights for every trial. The built-in trainer computes it"
    " in evaluation mode on one fixed batch; any other trainer answers for its own.",
    "no_arms": "The study has no arms.",
    # knobs
    "answer_inert": "These settings change nothing, bit for bit: {names}.",
    "answer_inert_printed": "With another value of these settings no printed number came out differently, which does not"
    " show that nothing changed: {names}.",
    "knob_counted": "{name} ({numbers} numbers that move, of at least {digits} digits)",
    "identical_all_exact": "The seed never arrived in the training of {name}: its {trials} trials, each with a seed of"
    " its own, came out identical bit for bit and count as one.",
    "identical_all_printed": "The {trials} trials of {name}, each with a seed of its own, came out identical in all printed"
    " numbers and count as one. Either the seed never arrived, or it moves only digits that are not printed.",
    "identical_some_exact": "In {name} trials with different seeds came out identical bit for bit; each such set counts"
    " once, which leaves {pieces} of {trials} trials.",
    "identical_some_printed": "In {name} trials with different seeds came out identical in all printed numbers; each such"
    " set counts once, which leaves {pieces} of {trials} trials.",
    "answer_inert_prints": "These settings change what is printed and, bit for bit, nothing of the training: {names}.",
    "liveness_means": "One setting changed at a time, at one seed ({n} trials); gradient norms, weight norms and"
    " evaluations compared bit for bit. No difference below comes from a setting that changes nothing.",
    "liveness_means_printed": "One setting changed at a time, at one seed ({n} trials); printed numbers of the same step or"
    " epoch compared. A setting is said to make no difference only where at least {numbers} of them agree, each of at"
    " least {digits} digits and other than the number before it. No later stage leaves a setting out for that.",
    "knob_live": "yes",
    "knob_inert": "no: bit for bit the same",
    "knob_inert_printed": "no difference in {numbers} printed numbers that move, of at least {digits} digits",
    "knob_few_digits": "cannot be told: too few digits agree ({numbers} printed numbers that move, of at most {digits}"
    " digits)",
    "knob_no_digits": "cannot be told: no printed number moves",
    "knob_prints": "no: the printed losses change, the training does not",
    "knob_unknown": "cannot be told",
    "repeats": "The same trial run twice came out equal bit for bit.",
    "repeats_not": "The same trial run twice did not come out equal, so what a setting changes cannot be told from"
    " noise: the training is not deterministic.",
    "repeats_unknown": "No trial gave evidence twice, so what a setting changes cannot be told from noise.",
    "repeats_printed": "The same trial run twice came out equal in all {compared} printed numbers of the same step or epoch.",
    "repeats_not_printed": "The same trial run twice printed different numbers at the same step, so what a setting changes"
    " cannot be told from noise: the training is not deterministic.",
    "repeats_unknown_printed": "No number of a trial that ran twice could be set beside another, so what a setting changes"
    " cannot be told from noise.",
    "effective_means": "What the trainings had, as recorded while they ran, where the arms differ in it:",
    "overridden": "{arm} asks for a learning rate of {asked}, and the largest one its optimizer had was {got}.",
    "control_agrees": "{arm} against itself, every other seed against the rest: {ratio} times the yardstick (95% interval"
    " {interval}, {n} trials). No difference was found where there is none.",
    "control_differs": "{arm} against itself, every other seed against the rest: {ratio} times the yardstick (95%"
    " interval {interval}, {n} trials). The interval leaves 1 out, as happens in 5% of studies: a difference of"
    " this size between two arms is no evidence here.",
    "control_too_few": "{arm} has {n} finished trials; that is too little to compare it with itself.",
    # which setting made the difference
    "h_attribution": "Which setting made the difference",
    "h_effects_diverged": "In divergence",
    "h_effects_yardstick": "In the yardstick of trials that finished",
    "h_confirmation": "Confirmed on fresh seeds",
    "col_part": "Part [95% interval]",
    "col_p_adjusted": "p (Holm)",
    "effects_nothing": "No trial gave evidence on this.",
    "effects_diverged": "The modelled rate of {treatment} minus that of {baseline}: {total}, from {n} trials of {cells}"
    " combinations of the settings below. The parts add up to it (Shapley values over all combinations).",
    "effects_yardstick": "The modelled yardstick of {treatment} over that of {baseline}: {total}, from {n} trials of {cells}"
    " combinations of the settings below. The parts multiply to it (Shapley values over all combinations); below 1 is"
    " better.",
    "h_effects_boundary": "In the boundary",
    "effects_boundary": "How far the middle of the boundary moves from {baseline} to {treatment}: {total} decades (units of"
    " the parameter where its range is not logarithmic), modelled from {n} trials over {cells} combinations of the"
    " settings below. The parts add up to it (Shapley values over all combinations); above 0 there is more room.",
    "together": "Together {names} change it by a further {effect} ({p}, Benjamini-Hochberg; exploratory).",
    "together_aliased": "Together {names} change it by a further {effect} ({p}, Benjamini-Hochberg; exploratory); these"
    " combinations do not tell that from {aliases}.",
    "limit_one_seed": "All of it is from one seed, so nothing says how it varies between seeds.",
    "limit_cells_lost": "Some combinations gave no evidence.",
    "limit_survivors": "{excluded} trials without a finite yardstick are left out: this is about the trainings that held.",
    "limit_main_aliased": "Some settings cannot be told from others with these combinations.",
    "limit_aliased": "Some pairs of settings cannot be told from other pairs with these combinations.",
    "limit_none_diverged": "None of the {n} trials diverged, so there is no difference to share out, only a bound on it.",
    "limit_all_diverged": "All {n} trials diverged, so there is no difference to share out, only a bound on it.",
    "limit_all_equal": "All trials of a seed came out equal.",
    "confirm_swap": "{arm} with the other value of {param} alone stands at {ratio} times its yardstick (95% interval"
    " {interval}, {pairs} pairs); its divergence rate changes by {rate} (95% interval {rate_interval}).",
    "confirm_rate": "With the other value of {param} alone the divergence rate of {arm} changes by {rate} (95% interval"
    " {rate_interval}); {pairs} pairs finished, too few for an interval of the yardstick.",
    "confirm_nothing": "{arm} with the other value of {param} alone: no trial gave evidence.",
    # how far from the edge
    "h_boundary": "How far from the edge",
    "h_prices": "What each setting costs",
    "h_ranges": "Over which ranges an arm keeps its distance",
    "boundary_means": "Trials looked for the {param} at which training begins to diverge, between {low} and {high},"
    " with every other setting drawn from its range or as in an arm: {n} gave evidence, {k} diverged, {failures}"
    " infrastructure failures. A model of P(diverge) over all settings places the boundary of each arm.",
    "boundary_not_above": "Not monotone: trials diverged at small {param} too, more than the model of one boundary"
    " allows. No bound is stated.",
    "boundary_not_below": "Not monotone: trials diverged at large {param} too, more than the model of one boundary"
    " allows. No bound is stated.",
    "col_own": "Its {param}",
    "col_p50": "Half diverge at [95% interval]",
    "col_p05": "5% diverge at",
    "col_bound": "P(diverge) < 5% (95% credible)",
    "col_headroom": "Headroom",
    "col_change": "Change",
    "col_cost": "Cost [95% interval]",
    "beyond": "beyond the range",
    "place_cell": "{value} [{low} to {high}]",
    "change_cell": "{start} to {end}",
    "decades": "{value} decades",
    "units": "{value} of {param}",
    "bound_claim": "{arm}: {bound}: P(diverge within {steps} steps) < {risk}, {confidence} credible, with the arm's"
    " other settings; {n} trials, {near}.",
    "bound_failures": "{arm}: no bound on {param} is stated: {plain} does not hold with the {failed} failed and {undecided}"
    " undecided trials inside it counted as diverged.",
    "inside_stuck": " {stuck} of {n} trials inside learned nothing ({param} {span}); those that learned lie at {learned}.",
    "inside_stuck_only": " {stuck} of {n} trials inside learned nothing ({param} {span}), and none there learned.",
    "inside_held": " It holds with the {failed} failed and {undecided} undecided trials inside counted as diverged.",
    "inside_unknown": " Of the {failed} failed and {undecided} undecided trials there nobody knows whether they would have"
    " diverged.",
    "inside_narrowed": " It would be {plain} without the {failed} failed and {undecided} undecided trials in there, counted as"
    " diverged here.",
    "stage_undecided": " Further {undecided} came to their end, but their numbers do not suffice for a verdict.",
    "near_decades": "{near} of them within 0.2 decade of it",
    "near_range": "{near} of them within a fifteenth of the range of it",
    "bound_none": "{arm}: no bound on {param} can be stated from {n} trials: insufficient evidence (the model puts"
    " P(diverge) at its own value at {risk}).",
    "bound_withdrawn": "{arm}: no bound on {param} is stated, since its {n} trials show no single boundary; a"
    " model that may rise and fall puts P(diverge) at its own {param} at {risk}.",
    "prices_mean": "By how much a change moves the boundary, averaged over the ranges of the other settings: above 0"
    " it takes room for {param}, below 0 it gives some. An interval that holds 0 shows no effect.",
    "no_effect_cell": "none shown: {cost}",
    "ranges_mean": "One setting moved at a time, the arm's others kept: where P(diverge) < {risk} is {confidence}"
    " credible, at each value alone. Nothing is said outside the range studied.",
    "range_whole": "no limit found in {span}",
    "range_limited": "{span}",
    "range_none": "insufficient evidence",
    # numbers
    "factor_means": "Factor: treatment divided by baseline, geometric mean over pairs of one seed; below"
    " 1 the treatment is lower, which is better. Arms show mean ± standard deviation over trials."
    " Intervals: {method}. Each row has its own 95%; the first row is the one to judge by.",
    "pairs_used": "Pairs that finished and are in the factor: {used}. Pairs in which only {baseline}"
    " diverged: {baseline_only}, only {treatment}: {treatment_only}, both: {both}. Seeds without a usable"
    " pair: {dropped}.",
    "wins": "A diverged trial ranks below all others: {treatment} is lower in {wins} pairs, higher in"
    " {losses}, tied in {ties} (win probability {probability}; Wilcoxon signed rank, {p}).",
    "definitions_intro": "Printed losses compare only where both arms compute the same thing:",
    "h_change": "Change of yardstick",
    "change_means": "The printed total of the first epoch, {treatment} minus {baseline}: {difference}, mean over {n} pairs."
    " It is the sum of these parts; only the third is about the training.",
    "col_change_part": "Part",
    "col_change_size": "Size [95% interval]",
    "change_untold": "components that the arms define differently, or without a known weight ({names}): training and"
    " definition cannot be told apart",
    "change_by_weights": "other loss weights, of components defined alike ({names})",
    "change_by_losses": "other losses, of components defined alike ({names})",
    "change_rest": "what the components do not add up to (terms of the total that are no component, weights that change"
    " within the epoch)",
    "rates_intro": "n counts the trials whose training gave evidence; infrastructure failures are neither"
    " diverged nor not. Intervals: Wilson; upper bounds: Clopper-Pearson.",
    "rates_intro_worst": "n counts the trials whose training gave evidence. Of failed and undecided ones nobody knows: upper"
    " ends count them as diverged, lower ends as not. Intervals: Wilson; upper bounds: Clopper-Pearson.",
    "rate_difference_worst": "With the {counted} failed and undecided trials counted either way, that difference lies within"
    " [{interval}].",
    "failures_compared": "Failed trials (crashed, hung, out of memory or lost): {k_baseline} of {n_baseline} of {baseline},"
    " {k_treatment} of {n_treatment} of {treatment} ({test}, {p}).",
    "rate_difference": "Rate of {treatment} minus rate of {baseline}: {difference} [{interval}]"
    " ({method}; {test}, {p}).",
    "discordant": "Of {pairs} pairs, only {treatment} diverged in {treatment_only} and only {baseline} in"
    " {baseline_only}.",
    "logrank": "Time to divergence, log-rank: {p} (asymptotic; trials that ended otherwise are censored).",
    "one_seed": "One trial is insufficient evidence: up to {upper} divergence is still compatible.",
    "median_not_reached": "not reached",
    "epochs_intro": "Mean ± standard deviation over the finite values of n trials; non-finite values are"
    " counted beside the mean, never in it.",
    "epochs_skipped": "Some epochs are left out here; the JSON report has all of them.",
    "first_bad_none": "No trial diverged.",
    "first_bad_intro": "The first bad step of each diverged trial, as it happened in this run.",
    "rows_left_out": "Rows left out here, all of them in the JSON report: {count}.",
    # looks
    "name_obrien_fleming": "O'Brien-Fleming",
    "name_pocock": "Pocock",
    "looks_ended_early": "The stage ended early, after look {looks_made} of {looks_planned} ({trials} of"
    " {trials_planned} planned trials): p-value {p}, {level}. The rule is {spending} spending (Lan-DeMets) of"
    " {alpha} over all looks, and only divergence ends a stage. Differences that end a stage early tend to be"
    " overstated.",
    "looks_all_made": "All {looks_planned} planned looks were made ({trials} of {trials_planned} planned"
    " trials): at the last, p-value {p}, {level}. The rule is {spending} spending (Lan-DeMets) of {alpha} over"
    " all looks.",
    "looks_unfinished": "{looks_made} of {looks_planned} planned looks were made ({trials} of {trials_planned}"
    " planned trials), and none has ended the stage: at the last, p-value {p}, {level}. Later trials wait for"
    " the next look. The rule is {spending} spending (Lan-DeMets) of {alpha} over all looks.",
    "looks_none_made": "None of {looks_planned} planned looks could be made yet ({trials_planned} planned"
    " trials), so nothing is said about the difference. The rule is {spending} spending (Lan-DeMets) of"
    " {alpha} over all looks.",
    "looks_level": "where at most {level} decides",
    "looks_no_level": "where over so few discordant pairs no value decides",
    "looks_interval": "The interval of the difference in rates is one of {confidence}%: over all looks together"
    " that leaves at most {alpha} outside. No other interval or p-value here allows for the looks.",
    "looks_none_planned": "{trials} of {trials_planned} planned trials are stored. No look before the end was"
    " planned, so all of them will run, and until then the p-values here decide nothing.",
    # search
    "search_counts": "{n} trials gave evidence, {k} diverged, {failures} infrastructure failures; sampler"
    " {sampler}.",
    "search_best": "Best: trial {number}, yardstick {value} after the last epoch, with {settings}.",
    "search_no_best": "No trial finished with a finite yardstick, so there is no best one.",
    "search_edge": "Smallest diverged {param}: {smallest}. Largest {param} that did not diverge: {largest}.",
    "search_overlap": "Between {low} and {high} some trials diverged and some did not: other settings"
    " varied too.",
    "search_no_divergence": "No divergence was seen at any {param} tried ({low} to {high}).",
    "caveat_adaptive": "The sampler chose later trials by earlier results, so the share of diverged"
    " trials is not a rate.",
    "caveat_space": "The share of diverged trials is a share of the searched ranges, not the rate of a"
    " setting.",
    # recommendation
    "patch_needed": "What moves each arm inside its bound, as part of a study file:",
    "patch_best_rate": "{arm} diverged less often: {k} of {n} trials. Its settings, as part of a study file:",
    "patch_best_yardstick": "{arm} had the lower yardstick, and {k} of its {n} trials diverged. Its settings, as part"
    " of a study file:",
    "patch_command": "The bounds of every arm at another risk ({option} asks for less of it), with what they rest on:",
    "patch_command_search": "The bounds of every arm at another risk ({option} asks for less of it), with what they"
    " rest on, and the best setting of the search inside them:",
    "map_means": "Colour and contours (5% dashed, 50% solid) are the model's P(diverge) with the arm's other settings; the"
    " marks are the trials, whose other settings vary.",
    "curve_means": "Trials of {stages}, whose other settings vary too. The sensitivity is how far the yardstick at the"
    " end, at most that before training, lies above the best one, on average from the first part of the range with a"
    " trial to the last; none is given where over a third of the parts between have no trial (after {source}).",
    "trials_mean": "A step like {example} is censored: no divergence was seen up to there. Failed: the infrastructure"
    " failed, which says nothing of the training. Lost: diverged; in brackets the yardstick that it had last, which"
    " counts nowhere.",
    "trials_summary": "{n} trials: {k} diverged, {failures} failed",
    "trials_summary_undecided": "{counts}, {undecided} undecided",
    "environment_summary": "Python, libraries, machine",
    "epochs_summary": "{n} rows",
    "rec_nothing": "There is nothing to recommend on yet.",
    "rec_prefer": "Prefer {less} to {more} where divergence matters: it diverged less often here.",
    "rec_prefer_open": "{less} diverged less often than {more} here, but failed and undecided trials may undo that: find out"
    " first why they have no verdict.",
    "rec_either": "As far as divergence goes, keep either: no difference was shown.",
    "rec_neither": "No difference was shown, and both diverged in at least half of their trials: keep"
    " neither as it is.",
    "rec_insufficient": "On divergence there is no evidence to choose by.",
    "rec_yardstick": "On the yardstick alone, {better} was lower by {percent} where both trials of a pair"
    " finished.",
    "rec_yardstick_survivors": "Where both trials of a pair finished, {better} was lower by {percent} on"
    " the yardstick; with diverged trials ranked last, no difference was shown.",
    "rec_yardstick_none": "The yardstick gives no reason to choose either.",
    "rec_need": "To tell divergence rates of {low} and {high} apart (5% level, 80% power): {seeds} seeds"
    " an arm.",
    "rec_need_observed": "If the observed rates ({low} and {high}) are the true ones, {seeds} seeds an"
    " arm would tell them apart (5% level, 80% power).",
    "rec_need_many": "To tell divergence rates of {low} and {high} apart takes more than {seeds} seeds an"
    " arm.",
    "rec_command": "The override {override}, after the study file, asks for {seeds}.",
    "rec_exclude": "{seeds} seeds without a divergence would exclude a rate of {rate} or more at 95%"
    " confidence.",
    "rec_inside": "{arm}: {value} is {distance} inside {bound}, within which P(diverge within {steps} steps) < {risk}"
    " is {confidence} credible.",
    "rec_outside": "{arm}: change {value} to {bound}, within which P(diverge within {steps} steps) < {risk} is"
    " {confidence} credible; that is {distance} away.",
    "rec_edge": "No divergence was seen at {bound} in {n} trials of the search within at most {steps}"
    " steps; the smallest diverged {param} was {diverged}.",
    "rec_edge_open": "No divergence was seen at {bound} in {n} trials of the search within at most"
    " {steps} steps; nothing larger was tried.",
    "rec_edge_all": "Every trial of the search diverged, the smallest at {value}: search lower values of"
    " {param}.",
    "rec_headroom": "The {param} of {arm}, {value}, lies {decades} decades below the smallest diverged one; the"
    " other settings differ there.",
    "rec_headroom_above": "The {param} of {arm}, {value}, lies {decades} decades above the smallest"
    " diverged one; the other settings differ there.",
    # gate and patch
    "gate_rate_below": "{arm}: {k} of {n} trials diverged within at most {steps} steps: a rate of {risk} or more is excluded"
    " at 95% confidence (at most {upper}).",
    "gate_rate_above": "{arm}: {k} of {n} trials diverged within at most {steps} steps: a rate of {risk} or less is excluded"
    " at 95% confidence (at least {lower}).",
    "gate_rate_open": "{arm}: {k} of {n} trials diverged within at most {steps} steps: up to {upper} divergence is still"
    " compatible, so that alone does not show less than {risk}.",
    "gate_counted": "{arm}: {failed} failed and {undecided} undecided trials are counted as diverged in the upper bound, as"
    " not diverged in the lower one.",
    "gate_counted_above": "{arm}: with them counted as diverged, a rate of {risk} or less is excluded at 95% confidence: find"
    " out first why they have no verdict.",
    "gate_nothing": "{arm}: insufficient evidence: neither stage compare nor stage boundary has trials that say anything.",
    "gate_passed": "gate passed: P(diverge) < {risk} is shown for {arm}.",
    "gate_failed": "gate failed: P(diverge) < {risk} is not shown for {arm}.",
    "gate_too_close": "gate failed: {arm} is too close to the edge for {risk}.",
    "patch_holds": "holds for {ranges}; one setting moved at a time",
    "patch_range": "{param} in {span}",
    "patch_search": "the lowest yardstick of the search's trials inside the bound, from one run: trial {number}, {yardstick}",
    # limits
    "limit_steps": "Nothing is shown about training beyond {steps} steps: a run can diverge later.",
    "limit_data": "Only the seeds vary between trials of an arm; corpus ({corpus}) and model ({model}) were the"
    " same throughout.",
    "limit_data_own": "Only the seeds vary between trials of an arm, as far as the study knows: the program has its own"
    " data and model.",
    "limit_data_imported": "Of imported runs only the parameters are known: data, model and code may have differed"
    " between them.",
    "limit_verdicts": "A verdict is on the whole course of a trial: a spike that came and went again is not counted"
    " as divergence.",
    "limit_not_evaluated": "The trainer made no evaluations: the yardstick is of its training losses, at the first step"
    " and as the mean of the last epoch. A setting that changes how these losses are computed changes it too.",
    "limit_preset": "The arms differ in several settings, so no single setting is credited or blamed.",
    "limit_ranges": "Nothing is shown outside the ranges that trials were drawn from: {ranges}.",
    "limit_failures": "Trials that the infrastructure failed, missing from every number above: {count}.",
    "limit_failures_counted": "Trials that the infrastructure failed, in no number above but the bounds that count them:"
    " {count}.",
    "limit_undecided": "Trials that came to their end without numbers that suffice for a verdict: {count}.",
    "limit_not_run": "Not run: {stages}.",
    "failures_intro": "These trials gave no evidence. If failures follow a setting, the rates above are"
    " biased.",
    "failures_alike": "{count} of {total} trials failed alike ({outcome}): {message}",
    "undecided_intro": "These trials came to their end, and nothing failed, but their numbers do not suffice for a verdict.",
    # reproduce
    "reproduce_command": "Run again with:",
    "dirty": "uncommitted changes",
    "clean": "clean",
    "not_recorded": "not recorded",
    "env_spec_sha256": "spec sha256",
    "env_project": "project",
    "env_working_directory": "working directory",
    # notes in the dashboard
    "note_report": "The whole report",
    "note_trials": "trials",
    "note_infeasible": "Diverged trials are the infeasible ones: their objective is capped at the yardstick before training. The"
    " report as a file: {command}.",
    "note_born": "The operation where it broke: {place}",
    "note_before": "Before: {kind} in {where} at step {step} ({value})",
    "note_ended": "The process ended {outcome} after {steps} steps; seed {seed}.",
    "note_more": "More: {command}",
    "note_unreadable": "The study file that was stored with these trials can no longer be read, so there is no answer and no plot"
    " here: {reason}",
    "note_explain": "The operation where it broke: {command}",
    # figures
    "fig_arms": "{baseline} {k_baseline} of {n_baseline} diverged, {treatment} {k_treatment} of"
    " {n_treatment}; yardstick ×{factor} [{interval}]",
    "fig_arms_bare": "Diverged: {counts}",
    "fig_arm_count": "{arm} {k} of {n}",
    "fig_yardstick": "Yardstick after each epoch: same definition for all",
    "fig_total_comparable": "Printed total per step: comparable",
    "fig_total_not": "Printed total per step: not comparable ({reason})",
    "fig_total_plain": "Printed total per step",
    "fig_epoch": "epoch",
    "fig_before": "start",
    "fig_step": "step",
    "fig_loss": "loss",
    "fig_bad": "diverged here",
    "fig_endless": "over 10% lost: no upper end",
    "fig_median": "{arm}, median of {n}",
    "fig_survival": "Still training (Kaplan-Meier, 95% interval)",
    "fig_curve_edge": "{k} of {n} trials diverged: smallest diverged {param} {value}",
    "fig_curve_none": "None of {n} trials diverged, {param} {low} to {high}",
    "fig_sensitivity": "{found}; {param} sensitivity {value} over {low} to {high}",
    "fig_final": "yardstick at the end",
    "fig_at_start": "before training",
    "fig_median_all": "median of all trials",
    "fig_median_survivors": "of survivors, where most diverged",
    "fig_diverged": "diverged",
    "fig_trained": "no divergence seen",
    "fig_other": "unstable or stuck",
    "fig_sampled": "({k} of {n} drawn)",
    "fig_map": "Half of the runs diverge at {param} {places}",
    "fig_map_arm": "{value} ({arm})",
    "fig_map_open": "{k} of {n} trials diverged; where half would is not known",
    "fig_risk": "P(diverge)",
    "fig_p05": "5%",
    "fig_p50": "50%",
    "fig_own": "the arm's own setting",
    "fig_arm_rate": "{arm}: {k} of {n} diverged [{interval}]",
    "fig_forest": "A part in the difference is shown of {names}",
    "fig_forest_none": "No setting is shown to have a part in the difference",
    "fig_effect_diverged": "part of the divergence rate",
    "fig_effect_yardstick": "factor on the yardstick",
    "fig_effect_boundary": "shift of the boundary",
    "fig_excludes": "interval excludes no effect",
    "fig_includes": "interval includes no effect",
    "fig_no_interval": "no interval",
    "fig_room_inside": "{arm} has the least room: {distance} inside {bound}",
    "fig_room_outside": "{arm} lies {distance} outside {bound}",
    "fig_room_only": "{arm} lies {distance} inside {bound}",
    "fig_room_open": "{found}; no bound for {names}",
    "fig_room_none": "No bound on {param} is supported",
    "fig_headroom": "Room inside the bound on {param}",
    "fig_prices": "What a change takes of the room for {param}",
    "fig_decades": "decades of {param}",
    "fig_units": "units of {param}",
    "fig_failure": "{stage} #{number}: {event_kind} in {event_where} at step {step}",
    "fig_start": "start",
    "fig_steps_before": "steps from the first bad one",
    "fig_no_evaluation": "not shown: no trial was evaluated",
    "fig_no_total": "not shown: no total was recorded",
    "fig_no_steps": "not shown: no step was done",
    "fig_no_number": "not shown: no finite value",
    "fig_no_final": "not shown: no trial ended with a finite yardstick",
    "fig_no_axis": "not shown: no axis holds these values",
    "fig_no_course": "not shown: {stage} #{number} recorded no step",
    "fig_not_recorded": "not recorded: {names}",
    "fig_without_loss": "no finite yardstick at the end",
    "unshown_loss_fan": "Losses of the arms, not shown: no trial of the comparison gave evidence.",
    "unshown_lr_curve": "Losses along a parameter, not shown: no trial with evidence varied a numeric one.",
    "unshown_stability_map": "Map of divergence, not shown: it needs an arm and a second numeric parameter with a range.",
    "unshown_failure": "Last steps of a diverged trial, not shown: none were recorded before its first bad one.",
}
