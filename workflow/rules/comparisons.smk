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
        rules_of.reads("compare"),
    output:
        rules_of.writes("compare"),
    log:
        rules_of.log("compare"),
        record=rules_of.record("compare"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("compare"),
        runtime=needs.minutes("compare"),
    params:
        study=plan.layout.study,
        missing=rules_of.missing("compare"),
        digest=rules_of.digest("compare"),
    message:
        "compare the arms"
    shell:
        "python3 -m nichetrial stage compare"
        " --study {params.study:q}"
        " {params.missing:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"


rule compare_sweeps:
    input:
        rules_of.reads("compare_sweeps"),
    output:
        rules_of.writes("compare_sweeps"),
    log:
        rules_of.log("compare_sweeps"),
        record=rules_of.record("compare_sweeps"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("compare_sweeps"),
        runtime=needs.minutes("compare_sweeps"),
    params:
        study=plan.layout.study,
        missing=rules_of.missing("compare_sweeps"),
        digest=rules_of.digest("compare_sweeps"),
    message:
        "compare the sweeps"
    shell:
        "python3 -m nichetrial stage compare_sweeps"
        " --study {params.study:q}"
        " {params.missing:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"


rule power:
    input:
        rules_of.reads("power"),
    output:
        rules_of.writes("power"),
    log:
        rules_of.log("power"),
        record=rules_of.record("power"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("power"),
        runtime=needs.minutes("power"),
    params:
        study=plan.layout.study,
        missing=rules_of.missing("power"),
        digest=rules_of.digest("power"),
    message:
        "count the mice needed"
    shell:
        "python3 -m nichetrial stage power"
        " --study {params.study:q}"
        " {params.missing:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"


rule optimise:
    input:
        rules_of.reads("optimise"),
    output:
        rules_of.writes("optimise"),
    log:
        rules_of.log("optimise"),
        record=rules_of.record("optimise"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("optimise"),
        runtime=needs.minutes("optimise"),
    params:
        study=plan.layout.study,
        digest=rules_of.digest("optimise"),
    message:
        "look for the best schedule"
    shell:
        "python3 -m nichetrial stage optimise"
        " --study {params.study:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"
