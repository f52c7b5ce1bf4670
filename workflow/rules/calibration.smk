# The calibration: particles move towards the published findings that may be fitted, one generation after another.
#
# in   study.json, calibration.fit (findings of your own)
# out  evidence/VARIANT/particles/GENERATION/FIRST-LAST.parquet    points in the cube of the priors
#      evidence/VARIANT/population.parquet                         the last generation, as typical mice
#      evidence/VARIANT/generations, posterior                     how it went and what was learned, .parquet and .csv


rule particles:
    input:
        rules_of.reads("particles"),
    output:
        rules_of.writes("particles"),
    log:
        rules_of.log("particles"),
        record=rules_of.record("particles"),
    wildcard_constraints:
        generation=r"\d{3}",
        particles=r"\d+-\d+",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("particles"),
        runtime=needs.minutes("particles"),
    params:
        study=plan.layout.study,
        digest=rules_of.digest("particles"),
    message:
        "calibrate {wildcards.variant}, generation {wildcards.generation}, particles {wildcards.particles}"
    shell:
        "python3 -m nichetrial stage particles"
        " --study {params.study:q}"
        " --variant {wildcards.variant:q}"
        " --generation {wildcards.generation:q}"
        " --particles {wildcards.particles:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"


rule population:
    input:
        rules_of.reads("population"),
    output:
        rules_of.writes("population"),
    log:
        rules_of.log("population"),
        record=rules_of.record("population"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("population"),
        runtime=needs.minutes("population"),
    params:
        study=plan.layout.study,
        digest=rules_of.digest("population"),
    message:
        "population of {wildcards.variant}"
    shell:
        "python3 -m nichetrial stage population"
        " --study {params.study:q}"
        " --variant {wildcards.variant:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"
