# The report: one file that opens anywhere, without a network.
#
# in   study.json, comparisons/*, figures/*, parameters/*.rejections.csv
# out  report.html


rule report:
    input:
        rules_of.reads("report"),
    output:
        rules_of.writes("report"),
    log:
        rules_of.log("report"),
        record=rules_of.record("report"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("report"),
        runtime=needs.minutes("report"),
    params:
        study=plan.layout.study,
        missing=rules_of.missing("report"),
        digest=rules_of.digest("report"),
    message:
        "write the report"
    shell:
        "python3 -m nichetrial stage report"
        " --study {params.study:q}"
        " {params.missing:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"
