package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"padron/infra/config"
)

// sample is a valid environment with every switch on.
func sample(t testing.TB) *config.Environment {
	t.Helper()
	e, err := config.Load(".", "prod")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// fault is a change to a valid environment and everything that is wrong then.
type fault struct {
	change func(*config.Environment)
	want   []string
}

func testFaults(t *testing.T, cases map[string]fault) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			e := sample(t)
			c.change(e)
			var got []string
			for _, f := range e.Validate() {
				got = append(got, f.Where+": "+f.Why)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhatAnAccountRefuses: settings that make a template, which no account
// would take, or which would name something else than was meant.
func TestWhatAnAccountRefuses(t *testing.T) {
	testFaults(t, map[string]fault{
		"an Intel bastion for an ARM image": {
			func(e *config.Environment) { e.Bastion.InstanceType = "t3.micro" },
			[]string{`bastion.instance_type: "t3.micro" is not an instance type for ARM, which the image is for, such as t4g.nano`},
		},
		"a region of another partition": {
			func(e *config.Environment) { e.CopyRegion = "us-gov-west-1" },
			[]string{`copy_region: "us-gov-west-1" is not a region such as us-west-2`},
		},
		"a public VPC": {
			func(e *config.Environment) {
				e.Network.CIDR = "8.8.8.0/24"
				e.Network.Public = []string{"8.8.8.0/26", "8.8.8.64/26"}
				e.Network.Private = []string{"8.8.8.128/26", "8.8.8.192/26"}
			},
			[]string{"network.cidr: 8.8.8.0/24 is public: a VPC has private space (RFC 1918 or RFC 6598)"},
		},
		"one consumer twice": {
			func(e *config.Environment) { e.Consumers[1].Name = "sa-les" },
			[]string{`consumers[1].name: "sa-les" stands twice, dashes aside`},
		},
		"an environment of GitHub with a claim in it": {
			func(e *config.Environment) { e.Delivery.GitHubEnvironment = "production:ref" },
			[]string{`delivery.github_environment: "production:ref" is not the name of the environment that guards deployments, such as production`},
		},
		"wildcards for numbers": {
			func(e *config.Environment) { e.Delivery.OwnerID, e.Delivery.RepositoryID = "*", "*" },
			[]string{
				`delivery.owner_id: "*" is not the number of the repository's owner; quote it`,
				`delivery.repository_id: "*" is not the repository's number; quote it`,
			},
		},
		"a name for a zone's id": {
			func(e *config.Environment) { e.Domains.PublicZoneID = "padron.example.com" },
			[]string{`domains.public_zone_id: "padron.example.com" is not the id of a hosted zone such as Z0123456789ABCDEFGHIJ, or empty`},
		},
		"a name for a gateway's id": {
			func(e *config.Environment) { e.Transit.GatewayID = "hub" },
			[]string{`transit.gateway_id: "hub" is not the id of a transit gateway such as tgw-0123456789abcdef0, or empty`},
		},
		"daily backups kept longer than the lock allows": {
			func(e *config.Environment) { e.Retention.DailyBackups, e.Retention.MonthlyBackups = 365, 90 },
			[]string{"retention.monthly_backups: 90 is less than daily_backups 365: the vault's lock keeps nothing longer than monthly ones"},
		},
		"the posture service in the own account": {
			func(e *config.Environment) { e.Features.PostureAccount = e.Account },
			[]string{"features.posture_account: is the environment's own account: a posture service reads from outside"},
		},
		"one account twice": {
			func(e *config.Environment) { e.Transit.EndpointConsumers = []string{"777788889999", "777788889999"} },
			[]string{`transit.endpoint_consumers[1]: "777788889999" stands twice`},
		},
	})
}

func TestPlaceFaults(t *testing.T) {
	testFaults(t, map[string]fault{
		"a name with capitals": {
			func(e *config.Environment) { e.Name = "Prod" },
			[]string{`name: "Prod" is not 2 to 12 lower-case letters and digits`},
		},
		"a name too long": {
			func(e *config.Environment) { e.Name = "productiontwo" },
			[]string{`name: "productiontwo" is not 2 to 12 lower-case letters and digits`},
		},
		"an account that lost its zeros": {
			func(e *config.Environment) { e.Account = "1122223333" },
			[]string{`account: "1122223333" is not an account's 12 digits; quote them`},
		},
		"a copy in the same region": {
			func(e *config.Environment) { e.CopyRegion = e.Region },
			[]string{"copy_region: is the region itself: a copy there is lost with it"},
		},
		"no region to copy to": {
			func(e *config.Environment) { e.CopyRegion = "" },
			[]string{`copy_region: "" is not a region such as us-west-2`},
		},
		"another region's zones": {
			func(e *config.Environment) {
				e.Region, e.Features.InterfaceEndpoints, e.Features.DNSFirewall = "us-east-2", false, false
			},
			[]string{
				`zones[0]: "us-east-1a" is not a zone of us-east-2, such as us-east-2a`,
				`zones[1]: "us-east-1b" is not a zone of us-east-2, such as us-east-2a`,
			},
		},
		"the same zone twice": {
			func(e *config.Environment) { e.Zones[1] = e.Zones[0] },
			[]string{`zones[1]: "us-east-1a" stands twice`},
		},
		"one zone": {
			func(e *config.Environment) { e.Zones = e.Zones[:1] },
			[]string{
				"zones: 1 are too few: name at least two, so that the loss of one is not the loss of all",
				"network.public: has 2 subnets for 1 zones: name one for each",
				"network.private: has 2 subnets for 1 zones: name one for each",
				"network.nats: 2 is neither 1 nor one for each of the 1 zones",
				"database.readers: 1 is not from 0 to 0",
			},
		},
	})
}

func TestAddressFaults(t *testing.T) {
	testFaults(t, map[string]fault{
		"no range": {
			func(e *config.Environment) { e.Network.CIDR = "10.0.0.0" },
			[]string{`network.cidr: "10.0.0.0" is not an IPv4 range such as 10.0.0.0/24`},
		},
		"an IPv6 range": {
			func(e *config.Environment) { e.Network.CIDR = "fd00::/64" },
			[]string{`network.cidr: "fd00::/64" is not an IPv4 range such as 10.0.0.0/24`},
		},
		"a range too large": {
			func(e *config.Environment) { e.Network.CIDR = "10.0.0.0/15"; e.Consumers = nil },
			[]string{"network.cidr: 10.0.0.0/15: want a length of /16 to /28"},
		},
		"a subnet with bits behind its length": {
			func(e *config.Environment) { e.Network.Public[0] = "10.0.0.1/26" },
			[]string{"network.public[0]: 10.0.0.1/26 has bits set behind its length: want 10.0.0.0/26"},
		},
		"a subnet outside": {
			func(e *config.Environment) { e.Network.Private[1] = "10.0.1.0/26" },
			[]string{"network.private[1]: 10.0.1.0/26 is not inside the VPC's 10.0.0.0/24"},
		},
		"a subnet larger than the VPC": {
			func(e *config.Environment) { e.Network.CIDR = "10.0.0.0/27" },
			[]string{
				"network.public[0]: 10.0.0.0/26 is not inside the VPC's 10.0.0.0/27",
				"network.public[1]: 10.0.0.64/26 is not inside the VPC's 10.0.0.0/27",
				"network.private[0]: 10.0.0.128/26 is not inside the VPC's 10.0.0.0/27",
				"network.private[1]: 10.0.0.192/26 is not inside the VPC's 10.0.0.0/27",
			},
		},
		"a private subnet over a public one": {
			func(e *config.Environment) { e.Network.Private[0] = "10.0.0.64/26" },
			[]string{"network.private[0]: 10.0.0.64/26 overlaps 10.0.0.64/26 at network.public[1]"},
		},
		"three NATs for two zones": {
			func(e *config.Environment) { e.Network.NATs = 3 },
			[]string{"network.nats: 3 is neither 1 nor one for each of the 2 zones"},
		},
	})
}

func TestConsumerFaults(t *testing.T) {
	testFaults(t, map[string]fault{
		"a public range": {
			func(e *config.Environment) { e.Consumers[0].CIDR = "203.0.113.0/24" },
			[]string{"consumers[0].cidr: 203.0.113.0/24 is public: a consumer calls from private space (RFC 1918 or RFC 6598)"},
		},
		"everybody": {
			func(e *config.Environment) { e.Consumers[0].CIDR = "0.0.0.0/0" },
			[]string{"consumers[0].cidr: 0.0.0.0/0: want a length of /8 to /32"},
		},
		"a private range that reaches into public space": {
			func(e *config.Environment) { e.Consumers[0].CIDR = "172.0.0.0/8" },
			[]string{"consumers[0].cidr: 172.0.0.0/8 is public: a consumer calls from private space (RFC 1918 or RFC 6598)"},
		},
		"the VPC's own range": {
			func(e *config.Environment) { e.Consumers[0].CIDR = "10.0.0.0/16" },
			[]string{"consumers[0].cidr: 10.0.0.0/16 overlaps 10.0.0.0/24 at network.cidr"},
		},
		"another consumer's range": {
			func(e *config.Environment) { e.Consumers[1].CIDR = "10.1.8.0/24" },
			[]string{"consumers[1].cidr: 10.1.8.0/24 overlaps 10.1.0.0/16 at consumers[0].cidr"},
		},
		"no name and an unknown way": {
			func(e *config.Environment) { e.Consumers[1].Name, e.Consumers[1].Via = "", "internet" },
			[]string{
				`consumers[1].name: "" is not a name of lower-case letters, digits and dashes`,
				`consumers[1].via: "internet" is neither transit nor vpn`,
			},
		},
		"a VPN without its other end": {
			func(e *config.Environment) { e.Transit.CustomerGatewayIP = "" },
			[]string{"consumers[2].via: is vpn, but transit.customer_gateway_ip or customer_gateway_asn is missing"},
		},
		"a VPN to a name": {
			func(e *config.Environment) { e.Transit.CustomerGatewayIP = "vpn.example.com" },
			[]string{`transit.customer_gateway_ip: "vpn.example.com" is not an IPv4 address`},
		},
		"a BGP number that is none": {
			func(e *config.Environment) { e.Transit.CustomerGatewayASN = -1 },
			[]string{"transit.customer_gateway_asn: -1 is not from 1 to 4294967294"},
		},
		"an endpoint for no account": {
			func(e *config.Environment) { e.Transit.EndpointConsumers = []string{"777788889999", "*"} },
			[]string{`transit.endpoint_consumers[1]: "*" is not an account's 12 digits; quote them`},
		},
	})
}

func TestNameFaults(t *testing.T) {
	const provider = "synchronizer.provider_url: is not an https address without user, password and query: the key belongs into the provider's secret"
	providerURL := func(u string) fault {
		return fault{func(e *config.Environment) { e.Synchronizer.ProviderURL = u }, []string{provider}}
	}
	testFaults(t, map[string]fault{
		"a zone without a dot": {
			func(e *config.Environment) { e.Domains.Zone = "localhost" },
			[]string{`domains.zone: "localhost" is not a domain such as padron.example.com`},
		},
		"a host of two labels": {
			func(e *config.Environment) { e.Domains.Host = "api.customers" },
			[]string{`domains.host: "api.customers" is not one label such as customers`},
		},
		"a name longer than a certificate's": {
			func(e *config.Environment) { e.Domains.Host = strings.Repeat("c", 50) },
			[]string{"domains.host: with the zone has 69 characters: a certificate's name has 64 at most (RFC 5280)"},
		},
		"no address for alarms": {
			func(e *config.Environment) { e.Alarms.Email = "the team" },
			[]string{`alarms.email: "the team" is not an address that alarms can be sent to`},
		},
		"a repository without its owner": {
			func(e *config.Environment) { e.Delivery.Repository = "padron" },
			[]string{`delivery.repository: "padron" is not OWNER/NAME on GitHub`},
		},
		"nothing that guards deployments": {
			func(e *config.Environment) { e.Delivery.GitHubEnvironment = "" },
			[]string{`delivery.github_environment: "" is not the name of the environment that guards deployments, such as production`},
		},
		"half of the immutable numbers": {
			func(e *config.Environment) { e.Delivery.OwnerID = "1001" },
			[]string{"delivery.owner_id: and repository_id belong together: give both or neither"},
		},
		"a provider in clear":        providerURL("http://provider.example.com/customers"),
		"a provider with a password": providerURL("https://user:hunter2@provider.example.com/"),
		"a provider with a key":      providerURL("https://provider.example.com/?key=hunter2"),
		"a provider without a host":  providerURL("https://:443/customers"),
		"a provider that is no URL":  providerURL("https://provider.example.com/%zz"),
		"no provider":                providerURL(""),
	})
}

func TestSizeFaults(t *testing.T) {
	testFaults(t, map[string]fault{
		"a CPU that Fargate has not": {
			func(e *config.Environment) { e.Manager.CPU = 300 },
			[]string{"customers_mngr.cpu: 300 is not a size of Fargate: 256, 512, 1024, 2048 or 4096"},
		},
		"too little memory": {
			func(e *config.Environment) { e.Synchronizer.CPU = 1024 },
			[]string{"synchronizer.memory: 512 MiB does not go with 1024 CPU: want 2048 to 8192 in steps of 1024"},
		},
		"memory between the steps": {
			func(e *config.Environment) { e.Manager.Memory = 700 },
			[]string{"customers_mngr.memory: 700 MiB does not go with 256 CPU: want 512 to 2048 in steps of 512"},
		},
		"no task": {
			func(e *config.Environment) { e.Manager.MinTasks = 0 },
			[]string{"customers_mngr.min_tasks: 0 is not from 1 to 100"},
		},
		"fewer tasks at most than at least": {
			func(e *config.Environment) { e.Manager.MaxTasks = 1 },
			[]string{"customers_mngr.max_tasks: 1 is not from 2 to 100"},
		},
		"more tasks than there may be": {
			func(e *config.Environment) { e.Manager.MinTasks, e.Manager.MaxTasks = 500, 600 },
			[]string{"customers_mngr.min_tasks: 500 is not from 1 to 100", "customers_mngr.max_tasks: 600 is not from 100 to 100"},
		},
		"paging": {
			func(e *config.Environment) { e.Synchronizer.Paging = "pages" },
			[]string{`synchronizer.paging: "pages" is not auto, none, page or link`},
		},
		"partitions without pages": {
			func(e *config.Environment) { e.Synchronizer.Partitions, e.Synchronizer.Paging = 2, "auto" },
			[]string{"synchronizer.paging: a run is divided by page numbers: with partitions above 1 it is page"},
		},
		"too many partitions": {
			func(e *config.Environment) { e.Synchronizer.Partitions = 65 },
			[]string{"synchronizer.partitions: 65 is not from 1 to 64"},
		},
		"an unknown deployment": {
			func(e *config.Environment) { e.Manager.Deployment = "canary" },
			[]string{`customers_mngr.deployment: "canary" is neither rolling nor blue-green`},
		},
		"no instance type": {
			func(e *config.Environment) { e.Bastion.InstanceType = "nano" },
			[]string{`bastion.instance_type: "nano" is not an instance type for ARM, which the image is for, such as t4g.nano`},
		},
	})
}

func TestDatabaseFaults(t *testing.T) {
	testFaults(t, map[string]fault{
		"capacity between the steps": {
			func(e *config.Environment) { e.Database.MinACU, e.Database.MaxACU = 0.7, 8.2 },
			[]string{
				"database.min_acu: 0.7 is not from 0 to 256 in steps of 0.5",
				"database.max_acu: 8.2 is not from 1 to 256 in steps of 0.5",
			},
		},
		"less at most than at least": {
			func(e *config.Environment) { e.Database.MinACU, e.Database.MaxACU = 16, 8 },
			[]string{"database.max_acu: 8 is less than min_acu 16"},
		},
		"a pause that comes too soon": {
			func(e *config.Environment) { e.Database.MinACU, e.Database.AutoPauseSeconds = 0, 60 },
			[]string{"database.auto_pause_seconds: 60 is not from 300 to 86400"},
		},
		"a pause for a database that never pauses": {
			func(e *config.Environment) { e.Database.AutoPauseSeconds = 300 },
			[]string{"database.auto_pause_seconds: is set, but only a cluster with min_acu 0 pauses"},
		},
		"more readers than other zones": {
			func(e *config.Environment) { e.Database.Readers = 2 },
			[]string{"database.readers: 2 is not from 0 to 1"},
		},
		"backups of a day": {
			func(e *config.Environment) { e.Database.BackupDays = 1 },
			[]string{"database.backup_days: 1 is not from 7 to 35"},
		},
	})
}

func TestKeepingFaults(t *testing.T) {
	const offered = "is not a retention of 12 months or more that CloudWatch Logs offers: 365, 400, 545, 731 ... (PCI DSS 10.5.1)"
	testFaults(t, map[string]fault{
		"logs of three months": {
			func(e *config.Environment) { e.Retention.Logs = 90 },
			[]string{"retention.logs: 90 " + offered},
		},
		"a retention that is not offered": {
			func(e *config.Environment) { e.Retention.Logs, e.Retention.FlowLogs = 366, 500 },
			[]string{"retention.logs: 366 " + offered, "retention.flow_logs: 500 " + offered},
		},
		"a short trail and short backups": {
			func(e *config.Environment) {
				e.Retention.Trail, e.Retention.DailyBackups, e.Retention.MonthlyBackups = 30, 1, 30
			},
			[]string{
				"retention.trail: 30 is not from 365 to 3653",
				"retention.daily_backups: 1 is not from 7 to 365",
				"retention.monthly_backups: 30 is not from 90 to 3653",
			},
		},
		"alarms that never ring": {
			func(e *config.Environment) {
				e.Alarms.FreshnessMinutes, e.Alarms.RevealsPerHour, e.Alarms.MonthlyBudget = 20000, 0, 0
			},
			[]string{
				"alarms.freshness_minutes: 20000 is not from 5 to 10080",
				"alarms.reveals_per_hour: 0 is not from 1 to 100000",
				"alarms.monthly_budget: 0 is not from 1 to 1000000",
			},
		},
	})
}

func TestSwitchAndImageFaults(t *testing.T) {
	const digest = "is not an image's digest: sha256: and 64 hexadecimal digits"
	testFaults(t, map[string]fault{
		"a bundle that is not in S3": {
			func(e *config.Environment) { e.Features.MutualTLSBundle = "authorities.pem" },
			[]string{`features.mutual_tls_bundle: "authorities.pem" is not s3://BUCKET/KEY of the certificate authorities`},
		},
		"a posture service that anybody can be": {
			func(e *config.Environment) { e.Features.PostureAccount, e.Features.PostureExternal = "12", "short" },
			[]string{
				`features.posture_account: "12" is not an account's 12 digits`,
				"features.posture_external_id: is shorter than 16 characters: take the one that the posture service shows",
			},
		},
		"a tag for a digest": {
			func(e *config.Environment) { e.Images.Manager = "v1.2.3" },
			[]string{`images.customers_mngr: "v1.2.3" ` + digest},
		},
		"a digest cut short, and none": {
			func(e *config.Environment) {
				e.Images.Synchronizer, e.Images.Padron = config.NoImage[:40], ""
			},
			[]string{
				`images.synchronizer: "sha256:e3b0c44298fc1c149afbf4c8996fb9242" ` + digest,
				`images.padron: "" ` + digest,
			},
		},
	})
}

// TestFaultsComeAtOnce holds that an environment of nothing is told everything
// that it misses, in the order of the file, and the same each time.
func TestFaultsComeAtOnce(t *testing.T) {
	faults := (&config.Environment{}).Validate()
	var got []string
	for _, f := range faults {
		got = append(got, f.Where)
	}
	want := []string{
		"name", "account", "region", "copy_region", "copy_region", "zones",
		"network.cidr",
		"domains.zone", "domains.host", "alarms.email", "delivery.repository", "delivery.github_environment", "synchronizer.provider_url",
		"customers_mngr.cpu", "synchronizer.cpu", "customers_mngr.min_tasks", "customers_mngr.max_tasks", "synchronizer.partitions", "synchronizer.paging",
		"customers_mngr.deployment", "bastion.instance_type", "database.max_acu", "database.auto_pause_seconds", "database.backup_days",
		"synchronizer.schedule",
		"retention.logs", "retention.flow_logs", "retention.trail", "retention.daily_backups", "retention.monthly_backups",
		"alarms.freshness_minutes", "alarms.reveals_per_hour", "alarms.monthly_budget",
		"images.synchronizer", "images.customers_mngr", "images.padron",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("places of the faults (-want +got):\n%s", diff)
	}
	if lines := strings.Count(faults.Error(), "\n") + 1; lines != len(want) {
		t.Errorf("the error has %d lines, want one for each of %d faults", lines, len(want))
	}
	for range 20 {
		if again := (&config.Environment{}).Validate(); !slices.Equal(faults, again) {
			t.Fatal("the faults come in another order each time")
		}
	}
}

// TestManyConsumers keeps the lines of the access list within what AWS gives.
func TestManyConsumers(t *testing.T) {
	many := func(n int) func(*config.Environment) {
		return func(e *config.Environment) {
			e.Consumers = nil
			for i := range n {
				e.Consumers = append(e.Consumers, config.Consumer{Name: fmt.Sprintf("c%d", i), CIDR: fmt.Sprintf("10.%d.0.0/16", i+1), Via: "transit"})
			}
		}
	}
	testFaults(t, map[string]fault{
		"as many as there are lines": {many(config.MaxConsumers), nil},
		"one more": {
			many(config.MaxConsumers + 1),
			[]string{"consumers: 14 are more than 13, for which a network access list has lines: name a wider range for several of them"},
		},
	})
}

// TestUnknownRegion names what somebody has to look up for a region.
func TestUnknownRegion(t *testing.T) {
	move := func(e *config.Environment) {
		e.Region, e.Zones = "eu-west-1", []string{"eu-west-1a", "eu-west-1b"}
		e.Features.InterfaceEndpoints, e.Features.DNSFirewall = true, true
	}
	testFaults(t, map[string]fault{
		"lists of another region": {move, []string{
			"features.interface_endpoints: needs the prefix list of S3 in eu-west-1, and only those of us-east-1, us-west-2 are known: add it to S3PrefixLists in config/region.go (aws ec2 describe-managed-prefix-lists) and to the prover's in reach/route.go",
			"features.dns_firewall: needs the managed domain lists of eu-west-1, and only those of us-east-1 are known: add them to DNSBlockLists in config/region.go (aws route53resolver list-firewall-domain-lists), or switch it off",
		}},
		"without what needs them": {func(e *config.Environment) {
			move(e)
			e.Features.InterfaceEndpoints, e.Features.DNSFirewall = false, false
		}, nil},
	})
}
