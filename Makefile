# padron's targets; `make help` lists them. Each works on a fresh clone, and again.
SHELL := /bin/bash
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X padron/internal/buildinfo.Version=$(VERSION)
# Static binaries: the same command runs on any Linux, and from an empty image.
GOBUILD := CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)'
# The caller's settings must not leak into tests, but for those that are the tests' own.
CLEAN_ENV := env $(foreach v,$(filter-out PADRON_TEST_%,$(filter PADRON_%,$(.VARIABLES))),-u $(v))
FUZZTIME ?= 10s
TORTURE ?= 2000
RACES ?= 3
ARGS ?=
PARTS ?= all

# What npm installs for infra brings Go files of its own.
SOURCES = $$(find . -name node_modules -prune -o -name '*.go' -print)

.PHONY: help run test build infra infra-deps infra-docs cost lint workflows findings vulnerabilities bench bench-peers torture race test-mysql fuzz cover clean images signing-keys release bootstrap deploy destroy environment

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

run: ## everything locally; ARGS='--customers 100000' and the like; Ctrl-C stops it
	@$(GOBUILD) -o bin/ ./cmd/...
	@exec bin/padron up $(ARGS)

build: ## bin/padron, bin/synchronizer, bin/customers-mngr
	$(GOBUILD) -o bin/ ./cmd/...

test: ## install what the tests need, then run every test
	@scripts/test-deps
	@test -z "$$(gofmt -l $(SOURCES))" || { echo "gofmt these: $$(gofmt -l $(SOURCES) | tr '\n' ' ')"; exit 1; }
	go vet ./...
	$(CLEAN_ENV) go test -timeout 15m ./...
	@$(MAKE) --no-print-directory infra
	cd infra && $(CLEAN_ENV) go test -timeout 15m ./images

infra-deps: ## install what infra needs: the cdk command, Node, the checking tools
	@scripts/infra-deps

# The packages that are tested anew each time read the workflows and the documents,
# which are outside of the module: a change of those Go's cache does not see.
infra: infra-deps ## the AWS estate: synthesize the templates, prove and test them; the images are tested by make test
	cd infra && go run ./cmd/padron-infra synth
	cd infra && go vet ./...
	cd infra && $(CLEAN_ENV) go test -timeout 15m $$(go list ./... | grep -v -e /images$$ -e /workflows$$ -e /github$$ -e /cmd/)
	cd infra && $(CLEAN_ENV) go test -count=1 -timeout 15m ./workflows ./github ./cmd/...
	cd infra && go run ./cmd/padron-infra emulate

lint: workflows ## golangci-lint, pinned in tools/go.mod, and the workflows' checks
	go tool -modfile=tools/go.mod golangci-lint run ./...
	cd infra && go tool -modfile=../tools/go.mod golangci-lint run --config ../.golangci.yml ./...

workflows: infra-deps ## what actionlint, zizmor and checkov find in the workflows: nothing
	@scripts/workflows

findings: infra-deps ## what the linters find, as SARIF in dist/findings
	@scripts/workflows --sarif dist/findings
	go tool -modfile=tools/go.mod golangci-lint run --issues-exit-code 0 --output.sarif.path $(CURDIR)/dist/findings/go.sarif ./...
	cd infra && go tool -modfile=../tools/go.mod golangci-lint run --issues-exit-code 0 --config ../.golangci.yml \
		--output.sarif.path $(CURDIR)/dist/findings/infra.sarif ./...

vulnerabilities: ## what govulncheck knows of the code that is called; asks vuln.go.dev
	go tool -modfile=tools/workflows/go.mod govulncheck ./...
	cd infra && go tool -modfile=../tools/workflows/go.mod govulncheck ./...

bench: ## each figure beside its limit, into docs/benchmarks.md: about 20 minutes; PARTS=sync,memory,scale,read,start,profile picks
	@scripts/test-deps
	$(CLEAN_ENV) BENCH=$(PARTS) go test -count=1 -timeout 120m -v -run '^TestBench$$' ./bench

bench-peers: ## other programs on the same provider and database, into docs/benchmarks.md: about 15 minutes
	@scripts/test-deps
	@scripts/bench-peers-deps
	$(CLEAN_ENV) BENCH=peers BENCH_VENV=$(CURDIR)/var/peers go test -count=1 -timeout 120m -v -run '^TestBench$$' ./bench

torture: ## random faults, kills and changes over TORTURE runs
	PADRON_TORTURE=$(TORTURE) go test -count=1 -timeout 60m -run TestTorture ./internal/synchronizer

race: ## every test RACES times under the race detector, in random order
	@scripts/test-deps
	$(CLEAN_ENV) go test -race -shuffle=on -count=$(RACES) -timeout 50m ./...

test-mysql: ## the store's tests on a running MySQL too, of which PADRON_TEST_MYSQL is mysql://USER:PASSWORD@HOST:PORT/
	@test -n "$$PADRON_TEST_MYSQL" || { echo "which server? set PADRON_TEST_MYSQL to mysql://USER:PASSWORD@HOST:PORT/" >&2; exit 2; }
	@scripts/test-deps
	go test -count=1 -timeout 20m ./internal/store/...

fuzz: ## each fuzz target for FUZZTIME
	@scripts/fuzz $(FUZZTIME)

cover: ## statement coverage of the whole, by package
	@mkdir -p var
	$(CLEAN_ENV) go test -coverpkg=./... -coverprofile=var/cover.out ./... >/dev/null
	@go tool cover -func=var/cover.out | tail -1

infra-docs: infra-deps ## write anew the documents that are made from the templates
	cd infra && go build -o ../bin/padron-infra ./cmd/padron-infra && ../bin/padron-infra synth
	cd infra && for document in reach controls recovery cost elements emulate; do ../bin/padron-infra $$document --write || exit 1; done
	cd infra && ../bin/padron-infra picture && ../bin/padron-infra check --write

cost: infra-deps ## what each environment in AWS costs in a month
	@cd infra && go run ./cmd/padron-infra cost

images: ## the container images and their bills of materials, into dist/images
	@cd infra && go run ./cmd/padron-infra images

signing-keys: ## a pair of keys to sign images with, into var/signing
	@cd infra && go run ./cmd/padron-deliver keys

release: environment ## push the images to ENV's registry, gate them by their scan, sign them (KEY=var/signing/cosign.key), pin them
	@cd infra && go run ./cmd/padron-deliver release $(ENV) $(if $(KEY),--key $(abspath $(KEY)))

bootstrap: environment infra-deps ## once an account: what the pipeline needs to deploy ENV there
	@cd infra && go run ./cmd/padron-infra bootstrap $(ENV)

deploy: environment infra-deps ## the environment ENV into its AWS account; goes on where it stopped
	@cd infra && go run ./cmd/padron-infra deploy $(ENV)

destroy: environment infra-deps ## delete everything of the environment ENV from its AWS account
	@cd infra && go run ./cmd/padron-infra destroy $(ENV)

# Which account is changed is never a default.
environment:
	@test -n "$(ENV)" || { echo "which environment? add ENV=dev, or the name of another file in infra/config" >&2; exit 2; }

clean: ## remove what was built; the register in var/ stays
	rm -rf bin dist
