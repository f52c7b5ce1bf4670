# The report: one file that opens anywhere, without a network.
#
# in   study.json, comparisons/*, figures/*, parameters/*.rejections.csv
# out  report.html


rule report:
    input:
        comparisons=plan.comparisons(),
        figures=plan.pictures(),
        rejections=plan.rejections(),
    output:
        page=plan.layout.page,
    log:
        "<logs>/report/report.log",
        record="<records>/report/report.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("report"),
        runtime=needs.minutes("report"),
    params:
        study=plan.layout.study,
        results=lambda wildcards: plan.results,
        missing=plan.missing_option(),
        digest=plan.digest("report"),
    message:
        "write the report"
    shell:
        "python3 -m nichetrial report --study {params.study:q} --results {params.results:q}"
        " --out {output.page:q} {params.missing:q}"
        " --record {log.record:q} --expect {params.digest} --log {log[0]:q}"
