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
        population=plan.layout.evidence.table("{variant}/population"),
        findings=plan.findings("fit", "predict"),
    output:
        experiments=plan.layout.evidence.table("{variant}/experiments"),
    log:
        "<logs>/evidence/{variant}/predict.log",
        record="<records>/evidence/{variant}/predict.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("predict"),
        runtime=needs.minutes("predict"),
    params:
        study=plan.layout.study,
        digest=lambda wildcards: plan.digest("predict", variant=wildcards.variant),
    message:
        "predict all findings by {wildcards.variant}"
    shell:
        "python3 -m nichetrial predict --study {params.study:q} --variant {wildcards.variant:q}"
        " --population {input.population:q} --out {output.experiments:q}"
        " --record {log.record:q} --expect {params.digest} --log {log[0]:q}"


rule scoreboard:
    input:
        experiments=expand(
            plan.layout.evidence.table("{variant}/experiments"),
            variant=plan.study.calibration.variants,
        ),
        findings=plan.findings("fit", "predict"),
    output:
        tables=expand("<results>/evidence/scoreboard.{kind}", kind=["parquet", "csv"]),
        metrics=plan.layout.evidence.metrics,
    log:
        "<logs>/evidence/scoreboard.log",
        record="<records>/evidence/scoreboard.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("scoreboard"),
        runtime=needs.minutes("scoreboard"),
    params:
        study=plan.layout.study,
        folder=lambda wildcards: plan.layout.evidence.folder,
        digest=plan.digest("scoreboard"),
    message:
        "judge the predictions"
    shell:
        "python3 -m nichetrial scoreboard --study {params.study:q}"
        " --experiments {input.experiments:q} --out {params.folder:q}"
        " --record {log.record:q} --expect {params.digest} --log {log[0]:q}"


rule sensitivity:
    input:
        population=plan.own_population,
    output:
        tables=expand(
            "<results>/evidence/{table}.{kind}",
            table=["sobol", "decisions"],
            kind=["parquet", "csv"],
        ),
    log:
        "<logs>/evidence/sensitivity.log",
        record="<records>/evidence/sensitivity.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("sensitivity"),
        runtime=needs.minutes("sensitivity"),
    params:
        study=plan.layout.study,
        folder=lambda wildcards: plan.layout.evidence.folder,
        digest=plan.digest("sensitivity"),
    message:
        "find the parameters that decide"
    shell:
        "python3 -m nichetrial sensitivity --study {params.study:q}"
        " --population {input.population:q} --out {params.folder:q}"
        " --record {log.record:q} --expect {params.digest} --log {log[0]:q}"


rule contradiction:
    input:
        population=plan.own_population,
    output:
        tables=expand(
            "<results>/evidence/{table}.{kind}",
            table=["dose_arms", "turns", "phase_map"],
            kind=["parquet", "csv"],
        ),
    log:
        "<logs>/evidence/contradiction.log",
        record="<records>/evidence/contradiction.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("contradiction"),
        runtime=needs.minutes("contradiction"),
    params:
        study=plan.layout.study,
        folder=lambda wildcards: plan.layout.evidence.folder,
        digest=plan.digest("contradiction"),
    message:
        "take the two arms of TIMP-1 apart"
    shell:
        "python3 -m nichetrial contradiction --study {params.study:q}"
        " --population {input.population:q} --out {params.folder:q}"
        " --record {log.record:q} --expect {params.digest} --log {log[0]:q}"


rule evidence_figure:
    input:
        tables=lambda wildcards: plan.evidence_inputs(wildcards.picture),
    output:
        pictures=report(
            expand(
                "<results>/evidence/figures/{{picture}}.{kind}",
                kind=plan.study.figures.formats,
            ),
            category="Evidence",
            labels={"figure": "{picture}"},
        ),
    log:
        "<logs>/evidence/figures/{picture}.log",
        record="<records>/evidence/figures/{picture}.json",
    wildcard_constraints:
        picture="|".join(plan.evidence_figures),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("evidence_figure"),
        runtime=needs.minutes("evidence_figure"),
    params:
        study=plan.layout.study,
        results=lambda wildcards: plan.results,
        folder=lambda wildcards: f"{plan.layout.evidence.folder}/figures",
        digest=lambda wildcards: plan.digest("figure", figure=wildcards.picture),
    message:
        "draw {wildcards.picture}"
    shell:
        "python3 -m nichetrial figure {wildcards.picture:q} --study {params.study:q}"
        " --results {params.results:q} --out-stem {params.folder:q}/{wildcards.picture:q}"
        " --record {log.record:q} --expect {params.digest} --log {log[0]:q}"


rule evidence_report:
    input:
        tables=rules.scoreboard.output
        + rules.sensitivity.output
        + rules.contradiction.output,
        others=plan.evidence_inputs(),
        pictures=plan.evidence_pictures(),
    output:
        page=plan.layout.evidence.page,
    log:
        "<logs>/evidence/report.log",
        record="<records>/evidence/report.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("evidence_report"),
        runtime=needs.minutes("evidence_report"),
    params:
        study=plan.layout.study,
        results=lambda wildcards: plan.results,
        digest=plan.digest("evidence-report"),
    message:
        "write the page of the calibration"
    shell:
        "python3 -m nichetrial evidence-report --study {params.study:q}"
        " --results {params.results:q} --out {output.page:q}"
        " --record {log.record:q} --expect {params.digest} --log {log[0]:q}"
