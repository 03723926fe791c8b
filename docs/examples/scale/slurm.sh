#!/usr/bin/env bash
# One shard a task of a Slurm array, then one job that merges them:
#
#     array=$(sbatch --parsable slurm.sh photos out)
#     sbatch --dependency=afterany:"$array" --wrap "burncam merge out -o out --force"
#
# Runs again after a failure of a node: what is done is not done again.
#SBATCH --job-name=burncam
#SBATCH --array=1-8
#SBATCH --cpus-per-task=2
#SBATCH --mem=2G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --output=burncam-%A_%a.log
set -euo pipefail

photos=$1
out=$2

# `srun`, so that Slurm's signals reach burncam: it finishes what it has begun and says where it stopped.
cores=${SLURM_CPUS_PER_TASK:-1}
exec srun --cpus-per-task="$cores" burncam explain "$photos" -o "$out" \
    --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --threads "$cores" --resume
