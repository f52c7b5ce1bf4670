# The study, complete and in plain numbers: the first thing that a run writes.
#
# in   the study file
# out  study.json    every arm with its patch applied, in internal units; all jobs read it
#      origin/       what is needed to make the run again: commit, uncommitted code, study file, lock, graph of rules
#
# It is no job, and no input of one, but written at the start of every run that has jobs: it changes with
# every word of the study, and would make everything run again. What a job takes from it is in the
# digest among the job's params. (As an ancient() input, the jobs whose digest has changed would be
# overlooked in the run that makes it again: Snakemake issue 4166.)


onstart:
    if not plan.is_resolved():
        shell(
            "python3 -m nichetrial stage resolve"
            " --study {plan.layout.study:q}"
            " --file {plan.file:q}"
            " --log {plan.results:q}/logs/resolve.log"
        )
    from nichetrial.launch.keep_origin import keep

    keep(plan, workflow.dag)
