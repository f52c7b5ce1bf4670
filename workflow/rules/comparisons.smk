# What each arm does: paired effects over mice, combinations, and the unknowns that matter.
#
# in   study.json, parameters/*, simulations/*/*.outcomes.parquet
# out  comparisons/effects, combinations, unknowns, arms    each as .parquet and .csv
#      comparisons/metrics.json                             flat numbers for the tracking
#
# Arms named in the config value missing_arms are left out of the inputs; 'nichetrial run' sets it
# when their jobs failed, so that the other arms still come to a report.


rule compare:
    input:
        mice=plan.comparison_inputs(),
    output:
        plan.comparisons("compare"),
    log:
        "<logs>/comparisons/comparisons.log",
        record="<records>/comparisons/comparisons.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("compare"),
        runtime=needs.minutes("compare"),
    params:
        study=plan.layout.study,
        results=lambda wildcards: plan.results,
        missing=plan.missing_option(),
        digest=plan.digest("compare"),
    message:
        "compare the arms"
    shell:
        "python3 -m nichetrial compare --study {params.study:q}"
        " --results {params.results:q} {params.missing:q}"
        " --record {log.record:q} --expect {params.digest} --log {log[0]:q}"


rule compare_sweeps:
    input:
        outcomes=plan.sweep_inputs(),
    output:
        plan.comparisons("compare_sweeps"),
    log:
        "<logs>/comparisons/sweeps.log",
        record="<records>/comparisons/sweeps.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("compare_sweeps"),
        runtime=needs.minutes("compare_sweeps"),
    params:
        study=plan.layout.study,
        results=lambda wildcards: plan.results,
        missing=plan.missing_option(),
        digest=plan.digest("compare-sweeps"),
    message:
        "compare the sweeps"
    shell:
        "python3 -m nichetrial compare-sweeps --study {params.study:q}"
        " --results {params.results:q}"
        " {params.missing:q} --record {log.record:q} --expect {params.digest} --log {log[0]:q}"


rule power:
    input:
        effects=plan.layout.comparison("effects"),
        experiments=plan.experiment_inputs(),
    output:
        plan.comparisons("power"),
    log:
        "<logs>/comparisons/power.log",
        record="<records>/comparisons/power.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("power"),
        runtime=needs.minutes("power"),
    params:
        study=plan.layout.study,
        results=lambda wildcards: plan.results,
        missing=plan.missing_option(),
        digest=plan.digest("power"),
    message:
        "count the mice needed"
    shell:
        "python3 -m nichetrial power --study {params.study:q} --effects {input.effects:q}"
        " --experiments {params.results:q}/experiments --out {params.results:q}/comparisons"
        " {params.missing:q} --record {log.record:q} --expect {params.digest} --log {log[0]:q}"


rule optimise:
    input:
        parameters=plan.mice(),
    output:
        plan.comparisons("optimise"),
    log:
        "<logs>/comparisons/optimise.log",
        record="<records>/comparisons/optimise.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("optimise"),
        runtime=needs.minutes("optimise"),
    params:
        study=plan.layout.study,
        results=lambda wildcards: plan.results,
        digest=plan.digest("optimise"),
    message:
        "look for the best schedule"
    shell:
        "python3 -m nichetrial optimise --study {params.study:q} --parameters {input.parameters:q}"
        " --out {params.results:q}/comparisons"
        " --record {log.record:q} --expect {params.digest} --log {log[0]:q}"
