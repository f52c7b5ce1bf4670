# The pictures, one job each.
#
# in   study.json, and what the figure shows: outcomes, courses, colonies, effects or dose_curve
# out  figures/NAME.png, figures/NAME.svg    those formats that the study asks for


rule figure:
    input:
        tables=lambda wildcards: plan.figure_inputs(wildcards.figure),
    output:
        pictures=report(
            expand(
                "<results>/figures/{{figure}}.{kind}", kind=plan.study.figures.formats
            ),
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
    log:
        "<logs>/figures/{figure}.log",
        record="<records>/figures/{figure}.json",
    conda:
        "../../envs/nichetrial.yaml"
    resources:
        mem_mb=needs.megabytes("figure"),
        runtime=needs.minutes("figure"),
    params:
        study=plan.layout.study,
        results=lambda wildcards: plan.results,
        missing=lambda wildcards: plan.missing_option(wildcards.figure),
        digest=lambda wildcards: plan.digest("figure", figure=wildcards.figure),
    message:
        "draw {wildcards.figure}"
    shell:
        "python3 -m nichetrial figure {wildcards.figure:q} --study {params.study:q}"
        " --results {params.results:q} --out-stem {params.results:q}/figures/{wildcards.figure:q}"
        " {params.missing:q} --record {log.record:q} --expect {params.digest} --log {log[0]:q}"
