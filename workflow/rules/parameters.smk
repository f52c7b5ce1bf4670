# The virtual mice: one row of parameters a mouse, drawn by (seed, mouse, purpose).
#
# in   study.json; evidence/full/population.parquet if the study's population is its own
# out  parameters/mice-FIRST-LAST.parquet           one file a chunk of mice
#      parameters/mice-FIRST-LAST.rejections.csv    how many draws were implausible, and why
#
# More mice are more chunks; those that exist stay.


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
        "draw mice {wildcards.mice}"
    shell:
        "python3 -m nichetrial stage parameters"
        " --study {params.study:q}"
        " --mice {wildcards.mice:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"
