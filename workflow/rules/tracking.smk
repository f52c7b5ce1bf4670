# MLflow: one writer replays the run records of all jobs; the jobs themselves know nothing of it.
# While they run, Snakemake's logger lets the same writer show what has ended; these rules have the last word.
#
# It runs where the command was given, never on a compute node: they need no network and no store.
#
# in   study.json, comparisons/*, figures/*, report.html; and the records next to them
# out  tracking/receipt.json             which run is which
#      evidence/tracking/receipt.json    the same for the calibration


rule track:
    input:
        rules_of.reads("track"),
    output:
        rules_of.writes("track"),
    log:
        rules_of.log("track"),
    localrule: True
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("track"),
        runtime=needs.minutes("track"),
    params:
        study=plan.layout.study,
        digest=rules_of.digest("track"),
    message:
        "record the runs in MLflow"
    shell:
        "python3 -m nichetrial track sync {params.study:q}"
        " --only trial"
        " --expect {params.digest}"
        " --log {log[0]:q}"


rule track_evidence:
    input:
        rules_of.reads("track_evidence"),
    output:
        rules_of.writes("track_evidence"),
    log:
        rules_of.log("track_evidence"),
    localrule: True
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("track_evidence"),
        runtime=needs.minutes("track_evidence"),
    params:
        study=plan.layout.study,
        digest=rules_of.digest("track_evidence"),
    message:
        "record the calibration in MLflow"
    shell:
        "python3 -m nichetrial track sync {params.study:q}"
        " --only evidence"
        " --expect {params.digest}"
        " --log {log[0]:q}"


rule evidence:
    input:
        rules.track_evidence.input,
        rules.track_evidence.output,
