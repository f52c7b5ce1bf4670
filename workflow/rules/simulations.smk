# The trial: each chunk of mice in each arm, on the same mice and with the same luck.
#
# in   study.json, parameters/mice-FIRST-LAST.parquet
# out  simulations/ARM/mice-FIRST-LAST.outcomes.parquet    one row a mouse
#      simulations/ARM/mice-FIRST-LAST.courses.parquet     time courses of the first mice
#      simulations/ARM/mice-FIRST-LAST.colonies.parquet    sizes of colonies at read-out
#      dose_curve/mice-FIRST-LAST.parquet                  no treatment, TIMP-1 from basal to highest
#      sweeps/SWEEP/mice-FIRST-LAST.parquet                all arms of a sweep, one row a mouse and arm
#      experiments/ARM.groups, ARM.twins .parquet          simulated experiments, for the mice needed


rule simulate:
    input:
        parameters=plan.layout.parameters("{mice}"),
    output:
        outcomes=plan.layout.simulation("{arm}", "{mice}", "outcomes"),
        courses=plan.layout.simulation("{arm}", "{mice}", "courses"),
        colonies=plan.layout.simulation("{arm}", "{mice}", "colonies"),
    log:
        "<logs>/simulations/{arm}/mice-{mice}.log",
        record="<records>/simulations/{arm}/mice-{mice}.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("simulate"),
        runtime=needs.minutes("simulate"),
    params:
        study=plan.layout.study,
        digest=lambda wildcards: plan.digest(
            "simulate", arm=wildcards.arm, mice=wildcards.mice
        ),
    message:
        "simulate {wildcards.arm}, mice {wildcards.mice}"
    shell:
        "python3 -m nichetrial simulate --study {params.study:q} --arm {wildcards.arm:q}"
        " --parameters {input.parameters:q} --outcomes {output.outcomes:q}"
        " --courses {output.courses:q} --colonies {output.colonies:q}"
        " --record {log.record:q} --expect {params.digest} --log {log[0]:q}"


rule dose_curve:
    input:
        parameters=lambda wildcards: plan.parameters_of_dose(wildcards.mice),
    output:
        table=plan.layout.dose_curve("{mice}"),
    log:
        "<logs>/dose_curve/mice-{mice}.log",
        record="<records>/dose_curve/mice-{mice}.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("dose_curve"),
        runtime=needs.minutes("dose_curve"),
    params:
        study=plan.layout.study,
        below=lambda wildcards: Chunk.named(wildcards.mice).last + 1,
        digest=plan.digest("dose-curve"),
    message:
        "dose of TIMP-1, mice {wildcards.mice}"
    shell:
        "python3 -m nichetrial dose-curve --study {params.study:q}"
        " --parameters {input.parameters:q} --mice {params.below} --out {output.table:q}"
        " --record {log.record:q} --expect {params.digest} --log {log[0]:q}"


rule sweep:
    input:
        parameters=plan.layout.parameters("{mice}"),
    output:
        table=plan.layout.sweep("{sweep}", "{mice}"),
    log:
        "<logs>/sweeps/{sweep}/mice-{mice}.log",
        record="<records>/sweeps/{sweep}/mice-{mice}.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("sweep"),
        runtime=needs.minutes("sweep"),
    params:
        study=plan.layout.study,
        digest=lambda wildcards: plan.digest("sweep", arm=wildcards.sweep),
    message:
        "simulate the sweep {wildcards.sweep}, mice {wildcards.mice}"
    shell:
        "python3 -m nichetrial sweep --study {params.study:q} --sweep {wildcards.sweep:q}"
        " --parameters {input.parameters:q} --out {output.table:q}"
        " --record {log.record:q} --expect {params.digest} --log {log[0]:q}"


rule experiments:
    input:
        population=plan.population,
    output:
        groups=plan.layout.experiments("{arm}", "groups"),
        twins=plan.layout.experiments("{arm}", "twins"),
    log:
        "<logs>/experiments/{arm}.log",
        record="<records>/experiments/{arm}.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("experiments"),
        runtime=needs.minutes("experiments"),
    params:
        study=plan.layout.study,
        population=lambda wildcards, input: (
            ["--population", *input.population] if input.population else []
        ),
        digest=lambda wildcards: plan.digest("experiments", arm=wildcards.arm),
    message:
        "simulate experiments with {wildcards.arm}"
    shell:
        "python3 -m nichetrial experiments --study {params.study:q} --arm {wildcards.arm:q}"
        " {params.population:q} --groups {output.groups:q} --twins {output.twins:q}"
        " --record {log.record:q} --expect {params.digest} --log {log[0]:q}"
