#!/usr/bin/env bash
# slurm.sh BUILD_DIR OUT_DIR: one sample shared by the jobs of a Slurm array, on a Slurm of this machine that lives as long
# as the benchmark: seconds of one job and of several, and whether all outputs have the same bytes. Root only.
# Writes OUT_DIR/genomics-slurm.md, and docs/benchmarks/genomics-slurm.md unless KEEP_DOCS is set.
#   SHARDS (4), COVERAGE (30), WORK (a folder below /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=${WORK:-/tmp/aceso-bench-slurm} shards=${SHARDS:-4} coverage=${COVERAGE:-30}
aceso=$build/bin/aceso page=$out/genomics-slurm.md data=/usr/share/doc/hisat2/examples/reference
source "$root/tools/bench.sh"
((EUID == 0)) || { echo "skipped: a Slurm of one's own needs root" >&2; exit 0; }
command -v slurmctld >/dev/null && [[ -s $data/22_20-21M.fa ]] || { echo "skipped: needs slurm-wlm and hisat2" >&2; exit 0; }
rm -rf "$work"
mkdir -p "$work"/{state,spool,steps}
cd "$work"
host=$(hostname -s) cores=$(nproc)
cat >slurm.conf <<END
ClusterName=aceso
SlurmctldHost=$host
AuthType=auth/none
CredType=cred/none
SlurmUser=root
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/ctld.pid
SlurmdPidFile=$work/d.pid
SlurmctldLogFile=$work/ctld.log
SlurmdLogFile=$work/d.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
NodeName=$host CPUs=$cores State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
END
touch cgroup.conf
export SLURM_CONF=$work/slurm.conf
slurmctld -D -c >ctld.out 2>&1 &
controller=$!
slurmd -D -c >d.out 2>&1 &
daemon=$!
trap 'kill $daemon $controller 2>/dev/null || true; wait 2>/dev/null || true' EXIT
for ((i = 0; i < 60; ++i)); do [[ $(sinfo -h -o %T 2>/dev/null) == idle ]] && break; sleep 0.5; done
[[ $(sinfo -h -o %T) == idle ]] || { cat ctld.out d.out >&2; exit 1; }

cp "$data/22_20-21M.fa" reference.fa
"$aceso" genomics simulate --reference reference.fa --variants "$data/22_20-21M.snp" --coverage "$coverage" --seed 5 --quiet --no-report \
  --reads reads_1.fq.gz --reads2 reads_2.fq.gz >/dev/null 2>&1
"$aceso" genomics index --reference reference.fa --quiet --no-report >/dev/null
germline="$aceso genomics germline --reads reads_1.fq.gz --reads2 reads_2.fq.gz --reference reference.fa --threads 1 --quiet --no-report"
# job NAME DEPENDENCY ARRAY WORDS: submits one step; prints its number
job() { sbatch --parsable --job-name "$1" ${2:+--dependency=afterok:$2} ${3:+--array=$3} --output "$work/%x-%a.log" --chdir "$work" --wrap "$germline $4"; }
# finished JOB: waits for it; ends the benchmark if a job that it depends on failed
finished() { while squeue -h -j "$1" 2>/dev/null | grep -q .; do squeue -h -j "$1" -o %r | grep -q Never && { cat ./*.log >&2; exit 1; }; sleep 0.2; done; }
outputs() { echo "--variants $1.vcf.gz --gvcf $1.g.vcf.gz --alignments $1.bam"; }

begin=$(date +%s.%N)
finished "$(job one "" "" "$(outputs one)")"
middle=$(date +%s.%N)
align=$(job align "" "1-$shards" "--work steps --step align --shard \$SLURM_ARRAY_TASK_ID/$shards")
call=$(job call "$align" "1-$shards" "--work steps --step call --shard \$SLURM_ARRAY_TASK_ID/$shards")
finished "$(job merge "$call" "" "--work steps --step merge $(outputs many)")"
end=$(date +%s.%N)
cat ./*.log >&2
same=yes
for file in vcf.gz g.vcf.gz bam bam.bai vcf.gz.tbi; do cmp -s "one.$file" "many.$file" || same="no: $file differs"; done
: >"$page"
tell "# One sample, many jobs"
tell
tell "$(date -u +%F), $(processor), $cores CPUs, $("$aceso" --version | head -n 1), $(sinfo --version), load $(load). A simulated sample of GRCh38 chr22:20-21 Mb at ${coverage}x."
tell
tell "| | seconds, with Slurm's waits | same bytes |"
tell "|---|---|---|"
tell "| one job | $(awk -v a="$begin" -v b="$middle" 'BEGIN { printf "%.1f", b - a }') | |"
tell "| arrays of $shards jobs to align and to call, one to merge | $(awk -v a="$middle" -v b="$end" 'BEGIN { printf "%.1f", b - a }') | $same |"
tell
tell "All jobs run on this machine, one thread each, and of a sample this small Slurm's own waits are most of the time: this shows that the bytes are the same, not a speed-up. Command: \`./dev bench genomics-slurm\`."
keep_page
[[ $same == yes ]]
