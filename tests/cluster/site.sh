# A Slurm of one's own on this machine, for tests: sourced by slurm.sh beside it. Everything is below $site, whose path
# holds no blank; ports are derived from it. Needs slurmctld, slurmd, sbatch and munged, and no root.

site_port() { echo $((21000 + $(printf %s "$site" | cksum | cut -d' ' -f1) % 9000)); }

# site_up NODES: a controller and so many nodes of two processors each. Arrays have at most $array_size elements, or 50.
# shellcheck disable=SC2154
site_up() {
  local node host port
  host=$(hostname -s) port=$(site_port)
  mkdir -p "$site"/{auth,state,log,pid}
  chmod 755 "$site" "$site/auth"
  (umask 077 && head -c 128 /dev/urandom >"$site/auth/key")
  cat >"$site/slurm.conf" <<CONF
ClusterName=tests
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$site/auth/socket
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$site/state
SlurmdSpoolDir=$site/spool-%n
SlurmctldPidFile=$site/pid/controller
SlurmdPidFile=$site/pid/%n
SlurmctldLogFile=$site/log/controller
SlurmdLogFile=$site/log/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=bf_interval=1,sched_min_interval=200000,batch_sched_delay=0
PropagateResourceLimits=NONE
MaxArraySize=${array_size:-50}
MinJobAge=600
SlurmdTimeout=10
KillWait=3
ReturnToService=2
NodeName=n[1-$1] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + $1))] CPUs=2 RealMemory=8000
PartitionName=tests Nodes=ALL Default=YES DefaultTime=20 State=UP
CONF
  export SLURM_CONF=$site/slurm.conf
  munged --force --key-file="$site/auth/key" --socket="$site/auth/socket" --pid-file="$site/auth/pid" \
    --log-file="$site/log/munged" --seed-file="$site/auth/seed"
  slurmctld -f "$SLURM_CONF"
  for node in $(seq "$1"); do slurmd -f "$SLURM_CONF" -N "n$node"; done
  wait_for "the nodes are idle" site_is_idle "$1"
}

site_is_idle() { [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | sort -u | wc -l)" = "$1" ]; }

# The processes of the jobs of this site on a node: Slurm tells each where it runs.
site_processes() {
  local process said
  for process in /proc/[0-9]*; do
    said=$(cat "$process/environ" 2>/dev/null | tr '\0' '\n') || true
    if grep -qx "SLURMD_NODENAME=$1" <<<"$said" && grep -qx "SLURM_CONF=$site/slurm.conf" <<<"$said"; then
      basename "$process"
    fi
  done
}

# site_lose NODE: the node is gone at once with all that runs there, and the controller is told.
site_lose() {
  local process parent
  kill -KILL "$(cat "$site/pid/$1")"
  # First what would tell the controller that a job has ended.
  for process in $(site_processes "$1"); do
    parent=$(ps -o ppid= -p "$process" | tr -d ' ')
    if [ -n "$parent" ] && ps -o args= -p "$parent" | grep -q '^slurmstepd'; then kill -KILL "$parent" || true; fi
  done
  for process in $(site_processes "$1"); do kill -KILL "$process" 2>/dev/null || true; done
  scontrol update nodename="$1" state=down reason=lost
  wait_for "the job is queued again" site_hurry
}

# Slurm lets a job that is queued again wait for two minutes; whether there is one. It starts in two seconds: what a node
# is told to start in the very second in which it was told to end it, it refuses ("Job credential revoked").
site_hurry() {
  local job later found=1
  later=$(date -d '+10 seconds' +%FT%T)
  for job in $(squeue -h -t PENDING -O 'JobArrayID:40,Reason:20,EligibleTime:20' |
    awk -v later="$later" '$2 == "BeginTime" && $3 > later { print $1 }'); do
    scontrol update jobid="$job" StartTime=now+2 && found=0
  done
  return $found
}

site_down() {
  local file pid
  [ -e "$site/slurm.conf" ] || return 0
  timeout 20 scancel --user="$(id -un)" 2>/dev/null || true
  for file in "$site"/pid/n* "$site/pid/controller" "$site/auth/pid"; do
    if [ -s "$file" ] && pid=$(cat "$file") && kill -TERM "$pid" 2>/dev/null; then
      for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
      kill -KILL "$pid" 2>/dev/null || true
    fi
  done
}

# wait_for WORDS COMMAND...: until the command succeeds, a minute at most.
wait_for() {
  local words=$1 n
  shift
  for n in $(seq 300); do
    if "$@"; then return 0; fi
    sleep 0.2
  done
  echo "waited for a minute until $words" >&2
  return 1
}
