# Sourced by the benchmarks that call variants beside other programs, in their folder of work.

say() { printf '%s\n' "$*" >&2; }

# peer_reference FILE.fa.gz: reference.fa.gz, reference.fa and their indexes
peer_reference() {
  cp -f "$1" reference.fa.gz
  gunzip -kf reference.fa.gz
  rm -f reference.fa.gz.aceso
  samtools faidx reference.fa
  bwa index reference.fa 2>/dev/null
}

align_by_bwa() { bwa mem -t 1 -R '@RG\tID:1\tSM:sample' reference.fa "$@"; }
mark_by_samtools() { samtools collate -Ou peer.sam | samtools fixmate -mu - - | samtools sort -u - | samtools markdup - peer.bam; }
call_by_freebayes() { freebayes -f reference.fa peer.bam; }
call_by_bcftools() { bcftools mpileup -Ou -f reference.fa peer.bam | bcftools call -mv -Ov; }

# peer_alignments READS READS2: peer.bam with its index; CPU seconds to bwa.time and markdup.time
peer_alignments() {
  say "bwa mem"
  { TIMEFORMAT='%U %S'; time align_by_bwa "$@" >peer.sam 2>/dev/null; } 2>bwa.time
  say "samtools markdup"
  { TIMEFORMAT='%U %S'; time mark_by_samtools 2>/dev/null; } 2>markdup.time
  rm -f peer.sam
  samtools index peer.bam
}

# peer_calls NAME: NAME.vcf.gz with its index, as call_by_NAME calls; CPU seconds to NAME.time
peer_calls() {
  say "$1"
  { TIMEFORMAT='%U %S'; time "call_by_$1" >"$1.vcf" 2>"$1.log"; } 2>"$1.time"
  bgzip -f "$1.vcf"
  tabix -f "$1.vcf.gz"
}
