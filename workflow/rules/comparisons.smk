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
        mice=lambda wildcards: plan.comparison_inputs(),
    output:
        plan.comparisons(),
    log:
        "<logs>/comparisons/comparisons.log",
        record="<records>/comparisons/comparisons.json",
    conda:
        "../../envs/nichetrial.yaml"
    threads: 1
    resources:
        mem_mb=needs.megabytes("compare"),
        runtime=needs.minutes("compare"),
    params:
        study=plan.study_json,
        results=lambda wildcards: plan.results,
        missing=plan.missing_option(),
        digest=plan.digest("compare"),
    message:
        "compare the arms"
    shell:
        "python3 -m nichetrial compare --study {params.study:q}"
        " --simulations {params.results:q}/simulations --parameters {params.results:q}/parameters"
        " --out {params.results:q}/comparisons"
        " {params.missing:q} --record {log.record:q} --expect {params.digest} --log {log[0]:q}"
