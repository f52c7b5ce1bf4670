# The virtual mice: one row of parameters a mouse, drawn by (seed, mouse, purpose).
#
# in   study.json; evidence/full/population.parquet if the study's population is its own
# out  parameters/mice-FIRST-LAST.parquet           one file a chunk of mice
#      parameters/mice-FIRST-LAST.rejections.csv    how many draws were implausible, and why
#
# More mice are more chunks; those that exist stay.


rule parameters:
    input:
        population=plan.population,
    output:
        table=plan.layout.parameters("{mice}"),
        rejections=plan.layout.rejections("{mice}"),
    log:
        "<logs>/parameters/mice-{mice}.log",
        record="<records>/parameters/mice-{mice}.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("parameters"),
        runtime=needs.minutes("parameters"),
    params:
        study=plan.layout.study,
        first=lambda wildcards: Chunk.named(wildcards.mice).first,
        last=lambda wildcards: Chunk.named(wildcards.mice).last,
        population=lambda wildcards, input: (
            ["--population", *input.population] if input.population else []
        ),
        digest=plan.digest("parameters"),
    message:
        "draw mice {wildcards.mice}"
    shell:
        "python3 -m nichetrial parameters --study {params.study:q}"
        " --first {params.first} --last {params.last}"
        " {params.population:q} --out {output.table:q} --rejections {output.rejections:q}"
        " --record {log.record:q} --expect {params.digest} --log {log[0]:q}"
