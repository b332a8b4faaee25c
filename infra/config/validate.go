package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Validate returns every fault, none for an environment that can be made.
func (e *Environment) Validate() Faults {
	c := &checker{}
	c.place(e)
	c.addresses(e)
	c.names(e)
	c.sizes(e)
	c.schedule(e)
	c.keeping(e)
	c.switches(e)
	c.lists(e)
	c.images(e)
	return c.faults
}

// checker collects faults.
type checker struct{ faults Faults }

func (c *checker) fault(where, format string, args ...any) {
	c.faults = append(c.faults, Fault{where, fmt.Sprintf(format, args...)})
}

func (c *checker) match(where, value string, re *regexp.Regexp, want string) {
	if !re.MatchString(value) {
		c.fault(where, "%q is not %s", value, want)
	}
}

func (c *checker) between(where string, n, least, most int) {
	if n < least || n > most {
		c.fault(where, "%d is not from %d to %d", n, least, most)
	}
}

var (
	nameForm    = regexp.MustCompile(`^[a-z][a-z0-9]{1,11}$`)
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	// The estate's ARNs are of the partition aws: not China's, not GovCloud's.
	regionForm  = regexp.MustCompile(`^(af|ap|ca|eu|il|me|mx|sa|us)-[a-z]+-[0-9]$`)
	zoneForm    = regexp.MustCompile(`^[a-z]$`)
	domainForm  = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
	labelForm   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	versionForm = regexp.MustCompile(`^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$`)
	digestForm  = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	emailForm   = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	repoForm    = regexp.MustCompile(`^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$`)
	jobsForm    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9 ._-]*[A-Za-z0-9])?$`)
	numberForm  = regexp.MustCompile(`^([1-9][0-9]*)?$`)
	zoneIDForm  = regexp.MustCompile(`^(Z[A-Z0-9]{1,31})?$`)
	gatewayForm = regexp.MustCompile(`^(tgw-[0-9a-f]{8,17})?$`)
	armForm     = regexp.MustCompile(`^[a-z]+[0-9]+g[a-z]*\.[a-z0-9]+$`)
	bundleForm  = regexp.MustCompile(`^s3://[a-z0-9.-]{3,63}/.+$`)
)

func (c *checker) place(e *Environment) {
	c.match("name", e.Name, nameForm, "2 to 12 lower-case letters and digits")
	c.match("account", e.Account, accountForm, "an account's 12 digits; quote them")
	c.match("region", e.Region, regionForm, "a region such as us-east-1")
	c.match("copy_region", e.CopyRegion, regionForm, "a region such as us-west-2")
	if e.CopyRegion == e.Region {
		c.fault("copy_region", "is the region itself: a copy there is lost with it")
	}
	if len(e.Zones) < 2 {
		c.fault("zones", "%d are too few: name at least two, so that the loss of one is not the loss of all", len(e.Zones))
	}
	for i, z := range e.Zones {
		letter, ok := strings.CutPrefix(z, e.Region)
		if !ok || !zoneForm.MatchString(letter) {
			c.fault(fmt.Sprintf("zones[%d]", i), "%q is not a zone of %s, such as %sa", z, e.Region, e.Region)
		}
		if slices.Contains(e.Zones[:i], z) {
			c.fault(fmt.Sprintf("zones[%d]", i), "%q stands twice", z)
		}
	}
}

// MaxConsumers is how many consumers there may be: a network access list has 20
// lines a direction unless AWS is asked for more, and 7 are the estate's own.
const MaxConsumers = 13

// ConsumerLine is the number of the line that a consumer has in a network access
// list, by its place among the consumers.
func ConsumerLine(place int) int { return 200 + place }

// addresses checks the address plan: subnets inside the VPC and apart from each
// other, consumers private and apart from the VPC and each other.
func (c *checker) addresses(e *Environment) {
	vpc, ok := c.prefix("network.cidr", e.Network.CIDR, 16, 28)
	if ok && !private(vpc) {
		c.fault("network.cidr", "%s is public: a VPC has private space (RFC 1918 or RFC 6598)", vpc)
	}
	taken := []named{}
	c.subnets(&taken, vpc, ok, "network.public", e.Network.Public, len(e.Zones))
	c.subnets(&taken, vpc, ok, "network.private", e.Network.Private, len(e.Zones))
	if e.Network.NATs != 1 && e.Network.NATs != len(e.Zones) {
		c.fault("network.nats", "%d is neither 1 nor one for each of the %d zones", e.Network.NATs, len(e.Zones))
	}
	if len(e.Consumers) > MaxConsumers {
		c.fault("consumers", "%d are more than %d, for which a network access list has lines: name a wider range for several of them", len(e.Consumers), MaxConsumers)
	}
	outside := []named{{"network.cidr", vpc}}
	seen := map[string]bool{}
	for i, consumer := range e.Consumers {
		where := fmt.Sprintf("consumers[%d]", i)
		c.match(where+".name", consumer.Name, labelForm, "a name of lower-case letters, digits and dashes")
		// Names of resources in a template have no dashes.
		if id := strings.ReplaceAll(consumer.Name, "-", ""); seen[id] {
			c.fault(where+".name", "%q stands twice, dashes aside", consumer.Name)
		} else {
			seen[id] = true
		}
		if !slices.Contains([]string{"transit", "vpn"}, consumer.Via) {
			c.fault(where+".via", "%q is neither transit nor vpn", consumer.Via)
		}
		p, ok := c.prefix(where+".cidr", consumer.CIDR, 8, 32)
		if !ok {
			continue
		}
		if !private(p) {
			c.fault(where+".cidr", "%s is public: a consumer calls from private space (RFC 1918 or RFC 6598)", p)
		}
		c.apart(&outside, where+".cidr", p)
	}
}

// named is a range and where it stands.
type named struct {
	where  string
	prefix netip.Prefix
}

func (c *checker) subnets(taken *[]named, vpc netip.Prefix, known bool, where string, cidrs []string, zones int) {
	if len(cidrs) != zones {
		c.fault(where, "has %d subnets for %d zones: name one for each", len(cidrs), zones)
	}
	for i, s := range cidrs {
		at := fmt.Sprintf("%s[%d]", where, i)
		p, ok := c.prefix(at, s, 16, 28)
		if !ok {
			continue
		}
		if known && (p.Bits() < vpc.Bits() || !vpc.Contains(p.Addr())) {
			c.fault(at, "%s is not inside the VPC's %s", p, vpc)
		}
		c.apart(taken, at, p)
	}
}

// apart reports an overlap of p with what is taken, and takes it.
func (c *checker) apart(taken *[]named, where string, p netip.Prefix) {
	for _, other := range *taken {
		if other.prefix.IsValid() && other.prefix.Overlaps(p) {
			c.fault(where, "%s overlaps %s at %s", p, other.prefix, other.where)
		}
	}
	*taken = append(*taken, named{where, p})
}

func (c *checker) prefix(where, s string, least, most int) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil || !p.Addr().Is4():
		c.fault(where, "%q is not an IPv4 range such as 10.0.0.0/24", s)
	case p != p.Masked():
		c.fault(where, "%s has bits set behind its length: want %s", s, p.Masked())
	case p.Bits() < least || p.Bits() > most:
		c.fault(where, "%s: want a length of /%d to /%d", s, least, most)
	default:
		return p, true
	}
	return netip.Prefix{}, false
}

// private reports whether all of p is RFC 1918 or RFC 6598 space.
func private(p netip.Prefix) bool {
	for _, s := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"} {
		within := netip.MustParsePrefix(s)
		if within.Contains(p.Addr()) && p.Bits() >= within.Bits() {
			return true
		}
	}
	return false
}

func (c *checker) names(e *Environment) {
	c.match("domains.zone", e.Domains.Zone, domainForm, "a domain such as padron.example.com")
	c.match("domains.host", e.Domains.Host, labelForm, "one label such as customers")
	if name := e.Domains.Host + "." + e.Domains.Zone; len(name) > 64 {
		c.fault("domains.host", "with the zone has %d characters: a certificate's name has 64 at most (RFC 5280)", len(name))
	}
	c.match("alarms.email", e.Alarms.Email, emailForm, "an address that alarms can be sent to")
	c.match("delivery.repository", e.Delivery.Repository, repoForm, "OWNER/NAME on GitHub")
	c.match("delivery.github_environment", e.Delivery.GitHubEnvironment, jobsForm, "the name of the environment that guards deployments, such as production")
	c.match("delivery.owner_id", e.Delivery.OwnerID, numberForm, "the number of the repository's owner; quote it")
	c.match("delivery.repository_id", e.Delivery.RepositoryID, numberForm, "the repository's number; quote it")
	c.match("domains.public_zone_id", e.Domains.PublicZoneID, zoneIDForm, "the id of a hosted zone such as Z0123456789ABCDEFGHIJ, or empty")
	if (e.Delivery.OwnerID == "") != (e.Delivery.RepositoryID == "") {
		c.fault("delivery.owner_id", "and repository_id belong together: give both or neither")
	}
	u, err := url.Parse(e.Synchronizer.ProviderURL)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" {
		c.fault("synchronizer.provider_url", "is not an https address without user, password and query: the key belongs into the provider's secret")
	}
}

// fargate is what Fargate offers: CPU units to the least and most memory in MiB
// and the step between.
var fargate = map[int]struct{ least, most, step int }{
	256: {512, 2048, 512}, 512: {1024, 4096, 1024}, 1024: {2048, 8192, 1024},
	2048: {4096, 16384, 1024}, 4096: {8192, 30720, 1024},
}

func (c *checker) sizes(e *Environment) {
	c.task("customers_mngr", e.Manager.CPU, e.Manager.Memory)
	c.task("synchronizer", e.Synchronizer.CPU, e.Synchronizer.Memory)
	c.between("customers_mngr.min_tasks", e.Manager.MinTasks, 1, 100)
	c.between("customers_mngr.max_tasks", e.Manager.MaxTasks, min(max(1, e.Manager.MinTasks), 100), 100)
	c.between("synchronizer.partitions", e.Synchronizer.Partitions, 1, 64)
	if !slices.Contains([]string{"auto", "none", "page", "link"}, e.Synchronizer.Paging) {
		c.fault("synchronizer.paging", "%q is not auto, none, page or link", e.Synchronizer.Paging)
	} else if e.Synchronizer.Partitions > 1 && e.Synchronizer.Paging != "page" {
		c.fault("synchronizer.paging", "a run is divided by page numbers: with partitions above 1 it is page")
	}
	if !slices.Contains([]string{"rolling", "blue-green"}, e.Manager.Deployment) {
		c.fault("customers_mngr.deployment", "%q is neither rolling nor blue-green", e.Manager.Deployment)
	}
	c.match("bastion.instance_type", e.Bastion.InstanceType, armForm, "an instance type for ARM, which the image is for, such as t4g.nano")
	c.database(e.Database, len(e.Zones))
}

func (c *checker) task(where string, cpu, memory int) {
	offer, ok := fargate[cpu]
	if !ok {
		c.fault(where+".cpu", "%d is not a size of Fargate: 256, 512, 1024, 2048 or 4096", cpu)
		return
	}
	if memory < offer.least || memory > offer.most || memory%offer.step != 0 {
		c.fault(where+".memory", "%d MiB does not go with %d CPU: want %d to %d in steps of %d", memory, cpu, offer.least, offer.most, offer.step)
	}
}

func (c *checker) database(d Database, zones int) {
	if half := d.MinACU * 2; half != float64(int(half)) || d.MinACU < 0 || d.MinACU > 256 {
		c.fault("database.min_acu", "%g is not from 0 to 256 in steps of 0.5", d.MinACU)
	}
	if half := d.MaxACU * 2; half != float64(int(half)) || d.MaxACU < 1 || d.MaxACU > 256 {
		c.fault("database.max_acu", "%g is not from 1 to 256 in steps of 0.5", d.MaxACU)
	}
	if d.MaxACU < d.MinACU {
		c.fault("database.max_acu", "%g is less than min_acu %g", d.MaxACU, d.MinACU)
	}
	if d.MinACU == 0 {
		c.between("database.auto_pause_seconds", d.AutoPauseSeconds, 300, 86400)
	} else if d.AutoPauseSeconds != 0 {
		c.fault("database.auto_pause_seconds", "is set, but only a cluster with min_acu 0 pauses")
	}
	c.between("database.readers", d.Readers, 0, max(0, zones-1))
	c.between("database.backup_days", d.BackupDays, 7, 35)
}

// yearOrMore are the retentions of 12 months or more that CloudWatch Logs knows.
var yearOrMore = []int{365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func (c *checker) logDays(where string, days int) {
	if !slices.Contains(yearOrMore, days) {
		c.fault(where, "%d is not a retention of 12 months or more that CloudWatch Logs offers: 365, 400, 545, 731 ... (PCI DSS 10.5.1)", days)
	}
}

func (c *checker) keeping(e *Environment) {
	c.logDays("retention.logs", e.Retention.Logs)
	c.logDays("retention.flow_logs", e.Retention.FlowLogs)
	c.between("retention.trail", e.Retention.Trail, 365, 3653)
	c.between("retention.daily_backups", e.Retention.DailyBackups, 7, 365)
	c.between("retention.monthly_backups", e.Retention.MonthlyBackups, 90, 3653)
	if e.Retention.MonthlyBackups < e.Retention.DailyBackups {
		c.fault("retention.monthly_backups", "%d is less than daily_backups %d: the vault's lock keeps nothing longer than monthly ones",
			e.Retention.MonthlyBackups, e.Retention.DailyBackups)
	}
	c.between("alarms.freshness_minutes", e.Alarms.FreshnessMinutes, 5, 10080)
	c.between("alarms.reveals_per_hour", e.Alarms.RevealsPerHour, 1, 100000)
	c.between("alarms.monthly_budget", e.Alarms.MonthlyBudget, 1, 1000000)
}

func (c *checker) switches(e *Environment) {
	f := e.Features
	if f.MutualTLSBundle != "" {
		c.match("features.mutual_tls_bundle", f.MutualTLSBundle, bundleForm, "s3://BUCKET/KEY of the certificate authorities")
	}
	if f.PostureAccount != "" {
		c.match("features.posture_account", f.PostureAccount, accountForm, "an account's 12 digits")
		if f.PostureAccount == e.Account {
			c.fault("features.posture_account", "is the environment's own account: a posture service reads from outside")
		}
		if len(f.PostureExternal) < 16 {
			c.fault("features.posture_external_id", "is shorter than 16 characters: take the one that the posture service shows")
		}
	}
	for i, consumer := range e.Consumers {
		if consumer.Via == "vpn" && f.TransitGateway && (e.Transit.CustomerGatewayIP == "" || e.Transit.CustomerGatewayASN == 0) {
			c.fault(fmt.Sprintf("consumers[%d].via", i), "is vpn, but transit.customer_gateway_ip or customer_gateway_asn is missing")
		}
	}
	if ip := e.Transit.CustomerGatewayIP; ip != "" {
		if addr, err := netip.ParseAddr(ip); err != nil || !addr.Is4() {
			c.fault("transit.customer_gateway_ip", "%q is not an IPv4 address", ip)
		}
	}
	if asn := e.Transit.CustomerGatewayASN; asn != 0 {
		c.between("transit.customer_gateway_asn", asn, 1, 4294967294)
	}
	c.match("transit.gateway_id", e.Transit.GatewayID, gatewayForm, "the id of a transit gateway such as tgw-0123456789abcdef0, or empty")
	for i, account := range e.Transit.EndpointConsumers {
		if slices.Contains(e.Transit.EndpointConsumers[:i], account) {
			c.fault(fmt.Sprintf("transit.endpoint_consumers[%d]", i), "%q stands twice", account)
		}
		c.match(fmt.Sprintf("transit.endpoint_consumers[%d]", i), account, accountForm, "an account's 12 digits; quote them")
	}
}

func (c *checker) images(e *Environment) {
	want := "an image's digest: sha256: and 64 hexadecimal digits"
	c.match("images.version", e.Images.Version, versionForm, "a tag of the registry, or empty")
	c.match("images.synchronizer", e.Images.Synchronizer, digestForm, want)
	c.match("images.customers_mngr", e.Images.Manager, digestForm, want)
	c.match("images.padron", e.Images.Padron, digestForm, want)
}
