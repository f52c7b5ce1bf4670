# The calibration: particles move towards the published findings that may be fitted, one generation after another.
#
# in   study.json, calibration.fit (findings of your own)
# out  evidence/VARIANT/particles/GENERATION/FIRST-LAST.parquet    points in the cube of the priors
#      evidence/VARIANT/population.parquet                         the last generation, as typical mice
#      evidence/VARIANT/generations, posterior                     how it went and what was learned, .parquet and .csv


rule particles:
    input:
        previous=lambda wildcards: plan.particles(
            wildcards.variant, int(wildcards.generation) - 1
        ),
        findings=plan.findings("fit"),
    output:
        table=plan.layout.evidence.particles("{variant}", "{generation}", "{particles}"),
    log:
        "<logs>/evidence/{variant}/particles-{generation}-{particles}.log",
        record="<records>/evidence/{variant}/particles-{generation}-{particles}.json",
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
        first=lambda wildcards: Chunk.named(wildcards.particles).first,
        last=lambda wildcards: Chunk.named(wildcards.particles).last,
        previous=lambda wildcards, input: (
            ["--previous", *input.previous] if input.previous else []
        ),
        digest=lambda wildcards: plan.digest("particles", variant=wildcards.variant),
    message:
        "calibrate {wildcards.variant}, generation {wildcards.generation}, particles {wildcards.particles}"
    shell:
        "python3 -m nichetrial particles --study {params.study:q} --variant {wildcards.variant:q}"
        " --generation {wildcards.generation} --first {params.first} --last {params.last}"
        " {params.previous:q} --out {output.table:q}"
        " --record {log.record:q} --expect {params.digest} --log {log[0]:q}"


rule population:
    input:
        particles=lambda wildcards: plan.all_particles(wildcards.variant),
    output:
        population=plan.layout.evidence.table("{variant}/population"),
        tables=expand(
            "<results>/evidence/{{variant}}/{table}.{kind}",
            table=["generations", "posterior"],
            kind=["parquet", "csv"],
        ),
    log:
        "<logs>/evidence/{variant}/population.log",
        record="<records>/evidence/{variant}/population.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("population"),
        runtime=needs.minutes("population"),
    params:
        study=plan.layout.study,
        folder=lambda wildcards: f"{plan.layout.evidence.folder}/{wildcards.variant}",
        digest=lambda wildcards: plan.digest("population", variant=wildcards.variant),
    message:
        "population of {wildcards.variant}"
    shell:
        "python3 -m nichetrial population --study {params.study:q} --variant {wildcards.variant:q}"
        " --particles {input.particles:q} --out {params.folder:q}"
        " --record {log.record:q} --expect {params.digest} --log {log[0]:q}"
