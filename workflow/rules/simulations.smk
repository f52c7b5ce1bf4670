# The trial: each chunk of mice in each arm, on the same mice and with the same random events.
#
# in   study.json, parameters/particles-FIRST-LAST.mice.parquet
# out  simulations/ARM/particles-FIRST-LAST.outcomes.parquet    one row a mouse
#      simulations/ARM/particles-FIRST-LAST.courses.parquet     time courses of the first mice
#      simulations/ARM/particles-FIRST-LAST.colonies.parquet    sizes of colonies at read-out
#      dose_curve/particles-FIRST-LAST.parquet                  no treatment, TIMP-1 from basal to highest
#      sweeps/SWEEP/particles-FIRST-LAST.parquet                all arms of a sweep, one row a mouse and arm
#      experiments/ARM.parquet                             simulated experiments, for the mice needed


rule simulate:
    input:
        rules_of.reads("simulate"),
    output:
        rules_of.writes("simulate"),
    log:
        rules_of.log("simulate"),
        record=rules_of.record("simulate"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("simulate"),
        runtime=needs.minutes("simulate"),
    params:
        study=plan.layout.study,
        digest=rules_of.digest("simulate"),
    message:
        "simulate {wildcards.arm}, particles {wildcards.chunk}"
    shell:
        "python3 -m nichetrial stage simulate"
        " --study {params.study:q}"
        " --arm {wildcards.arm:q}"
        " --chunk {wildcards.chunk:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"


rule dose_curve:
    input:
        rules_of.reads("dose_curve"),
    output:
        rules_of.writes("dose_curve"),
    log:
        rules_of.log("dose_curve"),
        record=rules_of.record("dose_curve"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("dose_curve"),
        runtime=needs.minutes("dose_curve"),
    params:
        study=plan.layout.study,
        digest=rules_of.digest("dose_curve"),
    message:
        "dose of TIMP-1, particles {wildcards.chunk}"
    shell:
        "python3 -m nichetrial stage dose_curve"
        " --study {params.study:q}"
        " --chunk {wildcards.chunk:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"


rule sweep:
    input:
        rules_of.reads("sweep"),
    output:
        rules_of.writes("sweep"),
    log:
        rules_of.log("sweep"),
        record=rules_of.record("sweep"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("sweep"),
        runtime=needs.minutes("sweep"),
    params:
        study=plan.layout.study,
        digest=rules_of.digest("sweep"),
    message:
        "simulate the sweep {wildcards.sweep}, particles {wildcards.chunk}"
    shell:
        "python3 -m nichetrial stage sweep"
        " --study {params.study:q}"
        " --sweep {wildcards.sweep:q}"
        " --chunk {wildcards.chunk:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"


rule experiments:
    input:
        rules_of.reads("experiments"),
    output:
        rules_of.writes("experiments"),
    log:
        rules_of.log("experiments"),
        record=rules_of.record("experiments"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("experiments"),
        runtime=needs.minutes("experiments"),
    params:
        study=plan.layout.study,
        digest=rules_of.digest("experiments"),
    message:
        "simulate experiments with {wildcards.arm}"
    shell:
        "python3 -m nichetrial stage experiments"
        " --study {params.study:q}"
        " --arm {wildcards.arm:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"
