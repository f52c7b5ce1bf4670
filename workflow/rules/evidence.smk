# What the calibrated model says: to each published finding, about what nobody knows, about the sign of TIMP-1.
#
# in   study.json, evidence/VARIANT/population.parquet, calibration.fit and predict (findings of your own)
# out  evidence/VARIANT/experiments.parquet            simulated experiments of all findings
#      evidence/scoreboard, metrics.json               hit or miss, for each variant
#      evidence/sobol, decisions                       which parameter decides which conclusion
#      evidence/dose_arms, turns, phase_map            the two arms of TIMP-1 apart; each as .parquet and .csv
#      evidence/figures/NAME.png, NAME.svg             those formats that the study asks for
#      evidence/report.html                            what the model explains, and what not: one file


rule predict:
    input:
        rules_of.reads("predict"),
    output:
        rules_of.writes("predict"),
    log:
        rules_of.log("predict"),
        record=rules_of.record("predict"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("predict"),
        runtime=needs.minutes("predict"),
    params:
        study=plan.layout.study,
        digest=rules_of.digest("predict"),
    message:
        "predict all findings by {wildcards.variant}"
    shell:
        "python3 -m nichetrial stage predict"
        " --study {params.study:q}"
        " --variant {wildcards.variant:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"


rule scoreboard:
    input:
        rules_of.reads("scoreboard"),
    output:
        rules_of.writes("scoreboard"),
    log:
        rules_of.log("scoreboard"),
        record=rules_of.record("scoreboard"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("scoreboard"),
        runtime=needs.minutes("scoreboard"),
    params:
        study=plan.layout.study,
        digest=rules_of.digest("scoreboard"),
    message:
        "judge the predictions"
    shell:
        "python3 -m nichetrial stage scoreboard"
        " --study {params.study:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"


rule sensitivity:
    input:
        rules_of.reads("sensitivity"),
    output:
        rules_of.writes("sensitivity"),
    log:
        rules_of.log("sensitivity"),
        record=rules_of.record("sensitivity"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("sensitivity"),
        runtime=needs.minutes("sensitivity"),
    params:
        study=plan.layout.study,
        digest=rules_of.digest("sensitivity"),
    message:
        "find the parameters that decide"
    shell:
        "python3 -m nichetrial stage sensitivity"
        " --study {params.study:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"


rule contradiction:
    input:
        rules_of.reads("contradiction"),
    output:
        rules_of.writes("contradiction"),
    log:
        rules_of.log("contradiction"),
        record=rules_of.record("contradiction"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("contradiction"),
        runtime=needs.minutes("contradiction"),
    params:
        study=plan.layout.study,
        digest=rules_of.digest("contradiction"),
    message:
        "take the two arms of TIMP-1 apart"
    shell:
        "python3 -m nichetrial stage contradiction"
        " --study {params.study:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"


rule evidence_figure:
    input:
        rules_of.reads("evidence_figure"),
    output:
        report(
            rules_of.writes("evidence_figure"),
            category="Evidence",
            labels={"figure": "{figure}"},
        ),
    log:
        rules_of.log("evidence_figure"),
        record=rules_of.record("evidence_figure"),
    wildcard_constraints:
        figure="|".join(EVIDENCE),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("evidence_figure"),
        runtime=needs.minutes("evidence_figure"),
    params:
        study=plan.layout.study,
        digest=rules_of.digest("evidence_figure"),
    message:
        "draw {wildcards.figure}"
    shell:
        "python3 -m nichetrial stage evidence_figure"
        " --study {params.study:q}"
        " --figure {wildcards.figure:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"


rule evidence_report:
    input:
        rules_of.reads("evidence_report"),
    output:
        rules_of.writes("evidence_report"),
    log:
        rules_of.log("evidence_report"),
        record=rules_of.record("evidence_report"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("evidence_report"),
        runtime=needs.minutes("evidence_report"),
    params:
        study=plan.layout.study,
        digest=rules_of.digest("evidence_report"),
    message:
        "write the page of the calibration"
    shell:
        "python3 -m nichetrial stage evidence_report"
        " --study {params.study:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"
