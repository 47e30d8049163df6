# Sourced by the benchmarks that call variants beside other programs, in their folder of work, which has reference.fa.

say() { printf '%s\n' "$*" >&2; }

align_by_bwa() { bwa mem -t 1 -R '@RG\tID:1\tSM:sample' reference.fa "$@"; }
mark_by_samtools() { samtools collate -Ou peer.sam | samtools fixmate -mu - - | samtools sort -u - | samtools markdup - peer.bam; }

# peer_alignments READS READS2: peer.bam with its index; CPU seconds to bwa.time and markdup.time
peer_alignments() {
  [[ -s reference.fa.bwt ]] || bwa index reference.fa 2>/dev/null
  say "bwa mem"
  { TIMEFORMAT='%U %S'; time align_by_bwa "$@" >peer.sam 2>/dev/null; } 2>bwa.time
  say "samtools markdup"
  { TIMEFORMAT='%U %S'; time mark_by_samtools 2>/dev/null; } 2>markdup.time
  rm -f peer.sam
  samtools index peer.bam
}

# peer_calls NAME COMMAND...: NAME.vcf.gz with its index of the VCF that a command writes; CPU seconds to NAME.time
peer_calls() {
  local name=$1
  shift
  say "$name"
  { TIMEFORMAT='%U %S'; time "$@" >"$name.vcf" 2>"$name.log"; } 2>"$name.time"
  bgzip -f "$name.vcf"
  tabix -f "$name.vcf.gz"
}
