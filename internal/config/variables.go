package config

import (
	"fmt"
	"strings"
)

// Variable documents one environment variable.
type Variable struct {
	Name    string
	Default string
	Meaning string
}

// Variables returns every variable padron reads, as help and documents list
// them.
func Variables() []Variable {
	return []Variable{
		{"PADRON_DB", "sqlite:var/padron.db", "the register: sqlite:PATH, or mysql://user:password@host:port/name with ?tls=true, rds, skip-verify or false"},
		{"PADRON_DB_SECRET", "", "user and password of a MySQL register: a secret's JSON, or its ARN in Secrets Manager; beats the URL's"},
		{"PADRON_DB_IAM", "false", "true: log in to RDS with IAM tokens, as the URL's user"},
		{"PADRON_PROVIDER_URL", "", "the provider's collection address, such as https://provider.example/api/v1/usuarios"},
		{"PADRON_PROVIDER_API_KEY", "", "sent to the provider as a bearer token"},
		{"PADRON_PROVIDER_PAGING", "auto", "how the provider pages: auto, none, page, link"},
		{"PADRON_PROVIDER_PAGE_SIZE", "1000", "customers a page, 1 to 10000"},
		{"PADRON_PROVIDER_CONCURRENCY", "4", "pages asked for at once where the provider pages by number, 1 to 16; fewer if they are large"},
		{"PADRON_PROVIDER_RATE", "0", "requests a second that the provider gets at most; 0 is no limit"},
		{"PADRON_PROVIDER_RETRIES", "6", "how often one page is asked for again, 0 to 100"},
		{"PADRON_PROVIDER_RETRY_BUDGET", "15m", "how long the provider's failures may hold one run up in all, 1s to 24h"},
		{"PADRON_SYNC_MAX_DELETE", "0.1", "share of customers that may vanish in one run before it refuses, 0 to 1"},
		{"PADRON_SYNC_MAX_CHANGE", "0.5", "share of known customers that may change in one run before it refuses, 0 to 1"},
		{"PADRON_QUARANTINE_KEEP", "90d", "how long a rejected record is kept that no run met again, 1d to 366d"},
		{"PADRON_KEYS", "file:var/keys.json", "the key-encryption key: file:PATH, or aws-kms: and a key's ARN or alias"},
		{"PADRON_LISTEN", "127.0.0.1:8080", "address of the API and console"},
		{"PADRON_ADMIN_LISTEN", "127.0.0.1:9090", "address of health, metrics and profiles"},
		{"PADRON_TLS_CERT", "", "certificate chain file to serve HTTPS, read again when it changes; auto makes one at start, for behind a load balancer"},
		{"PADRON_TLS_KEY", "", "private key file of the certificate"},
		{"PADRON_RATE_LIMIT", "0", "requests a second for one principal; 0 is unlimited"},
		{"PADRON_LOG_LEVEL", "info", "debug, info, warn, error"},
		{"PADRON_LOG_FORMAT", "", "text or json; text on a terminal, else json"},
	}
}

// unsupported returns the variables of later versions.
func unsupported() []string {
	return []string{
		"PADRON_OIDC_ISSUER", "PADRON_OIDC_AUDIENCE", "PADRON_OIDC_ROLE_CLAIM",
	}
}

func variable(name string) Variable {
	for _, v := range Variables() {
		if v.Name == name {
			return v
		}
	}
	return Variable{}
}

func defaultOf(name string) string { return variable(name).Default }
func meaningOf(name string) string { return variable(name).Meaning }

// Fault is one setting that is wrong, and why.
type Fault struct {
	Name string
	Why  string
}

// Faults is every setting that is wrong.
type Faults []Fault

// Error returns a line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Name + ": " + fault.Why
	}
	return strings.Join(lines, "\n")
}

// errorf is a fault's reason.
func errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }
