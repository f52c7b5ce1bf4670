# nichetrial, from one study file to its report: snakemake --cores 2 --configfile study.yaml (config.yaml)
# 'nichetrial run' does the same with recovery; the target 'evidence' is 'nichetrial calibrate'.
# What a rule reads, writes and depends on is declared in workflow/nichetrial/pipeline/stages.py
from snakemake.utils import min_version

min_version("9.27")

from nichetrial.errors import UserError
from nichetrial.figures.declared import EVIDENCE, FIGURES
from nichetrial.launch.job_environment import prepare
from nichetrial.pipeline.jobs import Rules, lost
from nichetrial.pipeline.plan import Plan, study_file
from nichetrial.pipeline.resources import Needs
from nichetrial.study.load import load

prepare()
try:
    file = study_file(workflow.overwrite_configfiles, default="config.yaml")
    plan = Plan.of(load(file), file, missing=config.get("missing_arms", ""))
except UserError as error:
    raise WorkflowError(str(error)) from None
needs, rules_of = Needs(plan.study), Rules(plan)

# Not without the condition: Snakemake would merge the default study into the user's own.
if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


report: "workflow/report/study.rst"


wildcard_constraints:
    arm="[^/]+",
    chunk=r"\d+-\d+",
    figure="|".join(FIGURES),
    variant="|".join(plan.study.calibration.variants),


include: "workflow/rules/study.smk"
include: "workflow/rules/calibration.smk"
include: "workflow/rules/parameters.smk"
include: "workflow/rules/simulations.smk"
include: "workflow/rules/comparisons.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/evidence.smk"
include: "workflow/rules/tracking.smk"


rule all:
    default_target: True
    input:
        lambda wildcards: lost(plan),
        plan.layout.receipt,
