# The pictures, one job each.
#
# in   study.json, and what the figure shows: outcomes, courses, colonies, effects or dose_curve
# out  figures/NAME.png, figures/NAME.svg    those formats that the study asks for


rule figure:
    input:
        rules_of.reads("figure"),
    output:
        report(
            rules_of.writes("figure"),
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
    log:
        rules_of.log("figure"),
        record=rules_of.record("figure"),
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("figure"),
        runtime=needs.minutes("figure"),
    params:
        study=plan.layout.study,
        missing=rules_of.missing("figure"),
        digest=rules_of.digest("figure"),
    message:
        "draw {wildcards.figure}"
    shell:
        "python3 -m nichetrial stage figure"
        " --study {params.study:q}"
        " --figure {wildcards.figure:q}"
        " {params.missing:q}"
        " --expect {params.digest}"
        " --log {log[0]:q}"
