package config

import (
	"maps"
	"slices"
	"strings"
)

// S3PrefixLists are AWS's managed lists of S3's addresses, by region: a security
// group names them to let image layers in by the gateway endpoint.
var S3PrefixLists = map[string]string{"us-east-1": "pl-63a5400a", "us-west-2": "pl-68a54001"}

// DNSBlockLists are AWS's managed lists of the names of malware and botnets, by
// region.
var DNSBlockLists = map[string][]string{
	"us-east-1": {"rslvr-fdl-2c46f2ecbfec4dcc", "rslvr-fdl-aa970e9eb1cc4777"},
}

// lists checks that what the features need of the region is known.
func (c *checker) lists(e *Environment) {
	if _, ok := S3PrefixLists[e.Region]; e.Features.InterfaceEndpoints && !ok {
		c.fault("features.interface_endpoints", "needs the prefix list of S3 in %s, and only those of %s are known: add it to S3PrefixLists in config/region.go (aws ec2 describe-managed-prefix-lists) and to the prover's in reach/route.go",
			e.Region, known(S3PrefixLists))
	}
	if _, ok := DNSBlockLists[e.Region]; e.Features.DNSFirewall && !ok {
		c.fault("features.dns_firewall", "needs the managed domain lists of %s, and only those of %s are known: add them to DNSBlockLists in config/region.go (aws route53resolver list-firewall-domain-lists), or switch it off",
			e.Region, known(DNSBlockLists))
	}
}

func known[V any](lists map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(lists)), ", ")
}
