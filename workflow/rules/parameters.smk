# The particles and their mice: one row of parameters each, drawn by (seed, particle, mouse, purpose).
#
# in   study.json; evidence/full/population.parquet if the study's population is its own
# out  parameters/particles-FIRST-LAST.typical.parquet      the typical mouse of each particle
#      parameters/particles-FIRST-LAST.mice.parquet         the mice of each particle
#      parameters/particles-FIRST-LAST.rejections.csv       how many draws were implausible, and why
#
# More particles are more chunks; those that exist stay.


rule parameters:
    input:
        rules_of.reads("parameters"),
    output:
        rules_of.writes("parameters"),
    log:
        rules_of.log("parameters"),
        record=rules_of.record("parameters"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("parameters"),
        runtime=needs.minutes("parameters"),
    params:
        study=plan.layout.study,
        digest=rules_of.digest("parameters"),
    message:
        "draw particles {wildcards.chunk}"
    shell:
        "python3 -m nichetrial stage parameters"
        " --study {params.study:q}"
        " --chunk {wildcards.chunk:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"
