// Package config is the typed description of one environment of the estate: the
// only thing in which dev and prod differ. It is data without a secret in it,
// read from NAME.yaml beside this file, and refused as a whole, with every
// fault at once, before a template is made of it.
package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
)

// Environment is one environment: an account, a region and everything in it.
type Environment struct {
	// Name is the file's name without .yaml, and part of every physical name:
	// lower-case letters and digits, at most 12.
	Name string `yaml:"name"`
	// Account is the AWS account's 12 digits.
	Account string `yaml:"account"`
	// Region holds everything; CopyRegion holds the copies of the backups.
	Region     string `yaml:"region"`
	CopyRegion string `yaml:"copy_region"`
	// Protected keeps a mistake from destroying what cannot be had back: deletion
	// protection is on, and data outlives its stack.
	Protected bool `yaml:"protected"`
	// Zones are the availability zones, at least two: one public and one
	// private subnet, and their two route tables, for each.
	Zones     []string   `yaml:"zones"`
	Network   Network    `yaml:"network"`
	Consumers []Consumer `yaml:"consumers"`
	Domains   Domains    `yaml:"domains"`
	Database  Database   `yaml:"database"`

	Manager      Manager      `yaml:"customers_mngr"`
	Synchronizer Synchronizer `yaml:"synchronizer"`
	Bastion      Bastion      `yaml:"bastion"`
	Retention    Retention    `yaml:"retention"`
	Alarms       Alarms       `yaml:"alarms"`
	Transit      Transit      `yaml:"transit"`
	Delivery     Delivery     `yaml:"delivery"`
	Features     Features     `yaml:"features"`
	Images       Images       `yaml:"images"`
}

// Network is the VPC's address plan, in CIDR notation. Public[i] and Private[i]
// are the subnets of Zones[i].
type Network struct {
	CIDR    string   `yaml:"cidr"`
	Public  []string `yaml:"public"`
	Private []string `yaml:"private"`
	// NATs is the number of NAT gateways: one for each zone, or 1 to save money
	// where the loss of a zone may take the way out with it.
	NATs int `yaml:"nats"`
}

// Consumer is a network that may call the API, such as another VPC or the data
// centre. Nobody else outside the VPC may.
type Consumer struct {
	Name string `yaml:"name"`
	// CIDR is private (RFC 1918) or shared (RFC 6598) space.
	CIDR string `yaml:"cidr"`
	// Via is how its packets come: "transit" for a VPC on the transit gateway,
	// "vpn" for the data centre.
	Via string `yaml:"via"`
}

// Domains are the names. The API is Host.Zone; Zone exists twice, as a private
// zone that answers inside the VPC and as a public one that holds nothing but
// the certificate's validation record.
type Domains struct {
	Zone string `yaml:"zone"`
	Host string `yaml:"host"`
	// PublicZoneID is the public zone's id where it exists already; the estate
	// makes it where this is "".
	PublicZoneID string `yaml:"public_zone_id"`
}

// Database sizes Aurora Serverless v2, in ACUs of about 2 GiB of memory.
type Database struct {
	// MinACU 0 lets the cluster pause after AutoPauseSeconds (300 to 86400)
	// without a connection.
	MinACU           float64 `yaml:"min_acu"`
	MaxACU           float64 `yaml:"max_acu"`
	AutoPauseSeconds int     `yaml:"auto_pause_seconds"`
	// Readers are instances beside the writer, each in another zone.
	Readers int `yaml:"readers"`
	// BackupDays of point-in-time recovery, 7 to 35.
	BackupDays int `yaml:"backup_days"`
}

// Manager sizes customers-mngr. CPU and memory are Fargate's units: 1024 CPU is
// one vCPU, memory in MiB.
type Manager struct {
	CPU      int `yaml:"cpu"`
	Memory   int `yaml:"memory"`
	MinTasks int `yaml:"min_tasks"`
	MaxTasks int `yaml:"max_tasks"`
	// Deployment is "rolling" or "blue-green".
	Deployment string `yaml:"deployment"`
}

// Synchronizer sizes and schedules the synchronizer.
type Synchronizer struct {
	CPU    int `yaml:"cpu"`
	Memory int `yaml:"memory"`
	// Schedule is an EventBridge Scheduler expression: rate(...) or cron(...).
	Schedule string `yaml:"schedule"`
	// ProviderURL is the collection's https address.
	ProviderURL string `yaml:"provider_url"`
	// Partitions a run is divided into; 1 is one plain task, more are a Step
	// Functions distributed map, at most 64.
	Partitions int `yaml:"partitions"`
	// Paging is how the provider pages: auto, none, page or link. A run can be
	// divided by page numbers alone.
	Paging string `yaml:"paging"`
}

// Bastion is the instance from which the service is checked.
type Bastion struct {
	InstanceType string `yaml:"instance_type"`
}

// Retention is how long what is kept is kept, in days.
type Retention struct {
	Logs           int `yaml:"logs"`
	FlowLogs       int `yaml:"flow_logs"`
	Trail          int `yaml:"trail"`
	DailyBackups   int `yaml:"daily_backups"`
	MonthlyBackups int `yaml:"monthly_backups"`
}

// Alarms says who is told, and from where on.
type Alarms struct {
	// Email gets alarms, findings and budget warnings.
	Email string `yaml:"email"`
	// FreshnessMinutes is the age of the last completed run that is too old.
	FreshnessMinutes int `yaml:"freshness_minutes"`
	// RevealsPerHour is the number of reveals beyond which somebody should look.
	RevealsPerHour int `yaml:"reveals_per_hour"`
	// MonthlyBudget in USD.
	MonthlyBudget int `yaml:"monthly_budget"`
}

// Transit connects consumers. It matters only with Features.TransitGateway.
type Transit struct {
	// GatewayID joins an existing transit gateway; "" makes one.
	GatewayID string `yaml:"gateway_id"`
	// CustomerGatewayIP is the data centre's public VPN address, and ASN its
	// BGP number; needed with a consumer via vpn.
	CustomerGatewayIP  string `yaml:"customer_gateway_ip"`
	CustomerGatewayASN int    `yaml:"customer_gateway_asn"`
	// EndpointConsumers are the accounts that may connect by PrivateLink.
	EndpointConsumers []string `yaml:"endpoint_consumers"`
}

// Delivery names who may change the estate.
type Delivery struct {
	// Repository is OWNER/NAME on GitHub. OwnerID and RepositoryID are its
	// immutable numbers, for subjects that carry them; "" where they do not.
	Repository   string `yaml:"repository"`
	OwnerID      string `yaml:"owner_id"`
	RepositoryID string `yaml:"repository_id"`
	// GitHubEnvironment guards the deployment.
	GitHubEnvironment string `yaml:"github_environment"`
}

// Features switches parts of the estate. Each costs money or assumes something
// of the account, which is why it is a choice.
type Features struct {
	InterfaceEndpoints bool `yaml:"interface_endpoints"`
	DNSFirewall        bool `yaml:"dns_firewall"`
	WAF                bool `yaml:"waf"`
	// MutualTLSBundle is an s3://bucket/key of certificate authorities that
	// clients must have a certificate of; "" asks for none.
	MutualTLSBundle string `yaml:"mutual_tls_bundle"`
	// LocalTrail makes a CloudTrail of this account; off where the
	// organisation's trail covers it.
	LocalTrail  bool `yaml:"local_trail"`
	GuardDuty   bool `yaml:"guardduty"`
	SecurityHub bool `yaml:"security_hub"`
	// VaultLock makes backups undeletable by anybody, for good, three days after
	// the first deployment. It cannot be undone.
	VaultLock       bool   `yaml:"vault_lock"`
	AirGappedVault  bool   `yaml:"air_gapped_vault"`
	RestoreTest     bool   `yaml:"restore_test"`
	TransitGateway  bool   `yaml:"transit_gateway"`
	PrivateLink     bool   `yaml:"private_link"`
	PostureAccount  string `yaml:"posture_account"`
	PostureExternal string `yaml:"posture_external_id"`
}

// Images are the digests that run, sha256:... of the images in the registry.
type Images struct {
	// Version is what was released, as the registry's tag has it; "" before the
	// first release.
	Version      string `yaml:"version"`
	Synchronizer string `yaml:"synchronizer"`
	Manager      string `yaml:"customers_mngr"`
	Padron       string `yaml:"padron"`
}

// ByProgram are the digests by program: synchronizer, customers-mngr and padron.
func (i Images) ByProgram() map[string]string {
	return map[string]string{"synchronizer": i.Synchronizer, "customers-mngr": i.Manager, "padron": i.Padron}
}

// NoImage is the digest of nothing: what an environment names before its first
// release. It passes validation and is refused by a deployment of services.
const NoImage = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Prefix begins every physical name of the environment, such as padron-dev.
func (e *Environment) Prefix() string { return "padron-" + e.Name }

// Fault is one thing wrong with an environment: where, and what to do.
type Fault struct {
	Where string
	Why   string
}

// Faults is everything wrong with one environment.
type Faults []Fault

// Error is a line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, x := range f {
		lines[i] = x.Where + ": " + x.Why
	}
	return strings.Join(lines, "\n")
}

// Load reads and validates dir/NAME.yaml. The error is [Faults] where the file
// could be read: every fault at once.
func Load(dir, name string) (*Environment, error) {
	path := filepath.Join(dir, name+".yaml")
	text, err := os.ReadFile(path) //nolint:gosec // the path is the operator's own
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no environment %q: there is no %s; copy dev.yaml to it and change what differs", name, path)
	}
	if err != nil {
		return nil, err
	}
	var e Environment
	if err := yaml.UnmarshalWithOptions(text, &e, yaml.DisallowUnknownField()); err != nil {
		return nil, Faults{{path, yaml.FormatError(err, false, true)}}
	}
	faults := e.Validate()
	if e.Name != name {
		faults = append(faults, Fault{"name", fmt.Sprintf("is %q in the file %s.yaml: they must be equal", e.Name, name)})
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return &e, nil
}

// Names returns the environments that dir describes, sorted.
func Names(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(filepath.Base(f), ".yaml")
	}
	return names, nil
}

// All loads every environment that dir describes. The error joins those of all.
func All(dir string) ([]*Environment, error) {
	names, err := Names(dir)
	if err != nil {
		return nil, err
	}
	var environments []*Environment
	var faults []error
	for _, name := range names {
		e, err := Load(dir, name)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s.yaml:\n%w", name, err))
			continue
		}
		environments = append(environments, e)
	}
	return environments, errors.Join(faults...)
}
